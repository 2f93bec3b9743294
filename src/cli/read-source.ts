import type { Application, ApplicationSpec } from './application.ts';
import type { CommandContext } from './command-spec.ts';
import { type SourceValues, sourceRequestOf } from './source-options.ts';
import type { StoreSource } from './store-source.ts';
import { unlessAborted } from './until-aborted.ts';

/** Opens the results that the options ask for to read them, and closes them again. */
export async function withSource<T>(
  spec: ApplicationSpec,
  { options, config, signal }: Pick<CommandContext<SourceValues>, 'options' | 'config' | 'signal'>,
  read: (source: StoreSource, app: Application) => Promise<T>,
): Promise<T> {
  const request = sourceRequestOf(options, config);
  const [{ openSource }, { withCleanup }, app] = await Promise.all([
    import('./open-source.ts'),
    import('./with-cleanup.ts'),
    spec.load(),
  ]);
  return withCleanup(async (defer) => {
    const source = await unlessAborted(signal, openSource(spec, app, request, config));
    defer(() => source.close());
    return read(source, app);
  });
}
