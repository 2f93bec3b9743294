import type { CommandContext } from './command-spec.ts';

/** Tells where a server listens: on stdout, or on stderr where stdout is for JSON alone. */
export function writeAddress(
  { stdout, stderr }: Pick<CommandContext, 'stdout' | 'stderr'>,
  url: string,
  json = false,
): void {
  (json ? stderr : stdout).write(`serving ${url}\n`);
}
