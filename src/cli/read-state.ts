import type { Application, ApplicationSpec, OpenState } from './application.ts';
import type { OpenStateOptions } from './open-state.ts';

/** Opens a state to read it, and closes it again. */
export async function withState<T>(
  spec: ApplicationSpec,
  options: Omit<OpenStateOptions, 'input'>,
  read: (state: OpenState, app: Application) => Promise<T>,
): Promise<T> {
  const [{ openState }, { withCleanup }, app] = await Promise.all([
    import('./open-state.ts'),
    import('./with-cleanup.ts'),
    spec.load(),
  ]);
  return withCleanup(async (defer) => {
    const state = await openState(spec, app, options);
    defer(() => state.close());
    return read(state, app);
  });
}
