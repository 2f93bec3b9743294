import type { Logger } from '../common/logger.ts';
import type { Config } from '../config/config.ts';
import type { Runtime, SettingName } from '../config/settings.ts';
import type { ArgumentSpec, OptionSpec } from './option-spec.ts';
import type { ArgumentValues, OptionValues } from './option-types.ts';
import type { ResultOutput } from './output.ts';
import type { ProgressReporter } from './progress.ts';

/** `batch` ends by itself; `continuous` runs until it is told to stop, and then ends with 0. */
export type CommandKind = 'batch' | 'continuous';

/** What a command works with. */
export interface CommandContext<Options = Readonly<Record<string, unknown>>, Args = Readonly<Record<string, unknown>>> {
  readonly options: Options;
  readonly args: Args;
  readonly config: Config;
  /** Results, and nothing else. */
  readonly stdout: ResultOutput;
  /** Notes to a person. Written above a progress bar, if one is shown. */
  readonly stderr: {
    /** Writes a text; its line ends are its own. */
    write(text: string): void;
  };
  readonly logger: Logger;
  /** Aborted by the first SIGINT or SIGTERM: commit, close and return. */
  readonly signal: AbortSignal;
  readonly progress: ProgressReporter;
  /** Whether results go to a terminal. */
  readonly isTTY: boolean;
  /** Whether results may be coloured: a terminal, and no `NO_COLOR`. */
  readonly color: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** A command as data: what it is called, what it takes, what it does. Knows nothing of the parser behind it. */
export interface CommandSpec<
  O extends readonly OptionSpec[] = readonly OptionSpec[],
  A extends readonly ArgumentSpec[] = readonly ArgumentSpec[],
> {
  /** One word, or two for a command of a group: `park show`. */
  readonly name: string;
  /** A line for the list of commands. */
  readonly summary: string;
  /** Paragraphs for its own help; the summary if left out. */
  readonly description?: string;
  /** Whole command lines, at least one. */
  readonly examples: readonly string[];
  readonly arguments?: A;
  readonly options?: O;
  readonly kind: CommandKind;
  /** The kind where it depends on the options, such as `--follow`. */
  kindFor?(options: OptionValues<O>): CommandKind;
  /**
   * Whether it makes commits. It then has 9 s after the first signal to make its last one, else 4 s to return: what it waits for then is given up, and it ends with the code of a
   * command that was stopped.
   * @defaultValue false
   */
  readonly commits?: boolean;
  /**
   * The settings that it reads, besides those of its options. `--set` of another is refused, and one that the environment or a file gives is told. Absent: it reads none, and takes neither
   * `--set` nor `--config`.
   */
  readonly settings?: readonly SettingName[];
  /** Those of `settings` that it reads with these options. @defaultValue all */
  settingsFor?(options: OptionValues<O>, config: Config): readonly SettingName[];
  /** Which defaults the settings have. @defaultValue 'embedded' */
  readonly runtime?: Runtime;
  /**
   * Does the work.
   *
   * Returns undefined when done, or when stopped by the signal: the exit code is then 0, or 130 or 143 for a batch command that was stopped.
   * A number is the exit code whatever happened.
   */
  // biome-ignore lint/suspicious/noConfusingVoidType: a command that returns nothing is the usual one
  run(context: CommandContext<OptionValues<O>, ArgumentValues<A>>): Promise<number | void>;
}

/** A program: its name and its commands. */
export interface ProgramSpec {
  readonly name: string;
  readonly version: string;
  readonly description: string;
  readonly commands: readonly CommandSpec[];
  /** What `application.id` is where it is not set: the `applicationId` of its {@link ApplicationSpec}. @defaultValue 'weir' */
  readonly applicationId?: string;
  /** What the commands of a group are about, by the group's name: `{ park: 'The park of meters' }`. */
  readonly groups?: Readonly<Record<string, string>>;
  /** npm packages that its commands need beside those of the command line: named together where one of those is not installed. @defaultValue none */
  readonly packages?: readonly string[];
}

/**
 * A command whose `options` and `args` have the types that its flags declare.
 *
 * @example
 * ```ts
 * export const digest: CommandSpec = defineCommand({
 *   name: 'digest',
 *   summary: 'Print the digest of a state',
 *   examples: ['weir digest --state .data/state'],
 *   options: [{ flags: '--by-store', description: 'one line for each store' }],
 *   kind: 'batch',
 *   async run({ options, stdout }) {
 *     stdout.write(options.byStore ? 'many\n' : 'one\n'); // options.byStore is a boolean
 *   },
 * });
 * ```
 */
export function defineCommand<
  const O extends readonly OptionSpec[] = readonly [],
  const A extends readonly ArgumentSpec[] = readonly [],
>(spec: CommandSpec<O, A>): CommandSpec {
  return spec as unknown as CommandSpec;
}
