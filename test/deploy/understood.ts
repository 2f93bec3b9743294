import { parseCommandLine } from '../../src/cli/command-line.ts';
import type { CommandSpec } from '../../src/cli/command-spec.ts';
import { commonOptions } from '../../src/cli/common-options.ts';
import { keyOf, readArguments, readOptions } from '../../src/cli/read-options.ts';
import { loadConfig } from '../../src/config/load-config.ts';
import { gridProgram } from '../../topologies/grid/program.ts';

/** A command line that the program has understood. */
export interface Understood {
  readonly command: CommandSpec;
  /** Options by their keys, parsed. */
  readonly values: Readonly<Record<string, unknown>>;
}

/**
 * Reads a command line and the environment as the program does, without running it.
 *
 * @throws for unknown commands, options, settings and variables, and for values that the program refuses.
 */
export function understood(words: readonly string[], env: Readonly<Record<string, string>> = {}): Understood {
  const silent = { write: () => true };
  const surface = { stdout: silent, stderr: silent, writeOut: () => {}, writeErr: () => {}, env };
  const invocation = parseCommandLine(gridProgram, commonOptions, words, surface as never);
  if (typeof invocation === 'number') throw new Error(`weir ${words.join(' ')} runs no command`);
  const { command, options, args } = invocation;
  readArguments(command.arguments ?? [], args);
  const { values, settings } = readOptions([...(command.options ?? []), ...commonOptions.everywhere], options, env);
  const config = loadConfig({
    options: settings,
    env,
    knownEnvironment: gridProgram.commands.flatMap((each) =>
      (each.options ?? []).flatMap((option) => option.env ?? []),
    ),
    runtime: command.runtime ?? 'embedded',
  });
  for (const option of command.options ?? []) {
    if (option.setting !== undefined) values[keyOf(option)] = config.get(option.setting);
  }
  return { command, values };
}
