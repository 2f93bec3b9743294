import type { Config } from '../config/config.ts';
import type { Application, ApplicationSpec } from './application.ts';
import { type SourceValues, sourceRequestOf } from './source-options.ts';
import type { StoreSource } from './store-source.ts';

/** Opens the results that the options ask for to read them, and closes them again. */
export async function withSource<T>(
  spec: ApplicationSpec,
  { options, config }: { readonly options: SourceValues; readonly config: Config },
  read: (source: StoreSource, app: Application) => Promise<T>,
): Promise<T> {
  const request = sourceRequestOf(options, config);
  const [{ openSource }, { withCleanup }, app] = await Promise.all([
    import('./open-source.ts'),
    import('./with-cleanup.ts'),
    spec.load(),
  ]);
  return withCleanup(async (defer) => {
    const source = await openSource(spec, app, request, config);
    defer(() => source.close());
    return read(source, app);
  });
}
