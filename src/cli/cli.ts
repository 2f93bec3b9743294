import { exitCodeOf, messageOf, StreamsError } from '../common/errors.ts';
import { commandLineNeed, withPackages } from '../common/optional-packages.ts';
import type { Config } from '../config/config.ts';
import type { OptionValue } from '../config/load-config.ts';
import { loadConfig } from '../config/load-config.ts';
import type { SettingName } from '../config/settings.ts';
import type { Invocation } from './command-line.ts';
import type { CommandContext, CommandKind, CommandSpec, ProgramSpec } from './command-spec.ts';
import { commonOptions, readSetFlags } from './common-options.ts';
import { errorReport } from './error-report.ts';
import { checkIdleSettings } from './idle-settings.ts';
import type { LogLevel } from './log.ts';
import { createLogger } from './log.ts';
import type { CliStream } from './output.ts';
import { mayColor, Output } from './output.ts';
import { keyOf, readArguments, readOptions } from './read-options.ts';
import { StatusOutput } from './status-output.ts';
import type { SignalSource } from './stop-signals.ts';
import { exitCodeOfSignal, StopSignals } from './stop-signals.ts';

/** A program and the process it runs in. */
export interface CliOptions extends ProgramSpec {
  /** Words after the program's name: `process.argv.slice(2)`. */
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdout: CliStream;
  readonly stderr: CliStream;
  /** @defaultValue process */
  readonly signals?: SignalSource;
}

/**
 * Runs one command line and resolves with the exit code; never ends the process.
 *
 * The caller must end the process with that code at once: a second SIGINT or SIGTERM resolves while the command is still running.
 *
 * @example
 * ```ts
 * const { argv, env, stdout, stderr } = process;
 * process.exit(await runCli({ name: 'counts', version: '1.0.0', description: 'Counts words', commands, argv: argv.slice(2), env, stdout, stderr }));
 * ```
 */
export async function runCli(options: CliOptions): Promise<number> {
  const session = new Session(options);
  try {
    const code = await session.run();
    if (!session.endedAtOnce) await session.flush();
    return code;
  } finally {
    session.dispose();
  }
}

type Outcome =
  | { readonly code: number | undefined }
  | { readonly error: unknown }
  | { readonly atOnce: number }
  | { readonly lateByMs: number };

/** A command that makes commits has this long after its first signal, ms: what is stopped in Docker is killed after 10 s. */
const commitMs = 9000;
/** Any other. */
const stopMs = 4000;
/** After a signal what is still to be written has so long, ms: nobody may be taking it. */
const flushMs = 500;

class Session {
  readonly #options: CliOptions;
  readonly #stdout: Output;
  readonly #stderr: StatusOutput;
  readonly #stop: StopSignals;
  #debug: boolean;
  #onFirstSignal: (signal: string) => void = () => {};
  endedAtOnce = false;

  constructor(options: CliOptions) {
    this.#options = options;
    this.#debug = !['', '0', 'false'].includes(options.env.WEIR_DEBUG ?? '');
    this.#stop = new StopSignals(options.signals ?? process, (signal) => this.#onFirstSignal(signal));
    this.#stdout = new Output(options.stdout, () => this.#stop.abort());
    this.#stderr = new StatusOutput(options.stderr);
  }

  async run(): Promise<number> {
    try {
      const invocation = await this.#parse();
      return typeof invocation === 'number' ? invocation : await this.#invoke(invocation);
    } catch (error) {
      return this.#report(error);
    }
  }

  async flush(): Promise<void> {
    const written = Promise.all([this.#stdout.flush(), this.#stderr.flush()]);
    await Promise.race([written, this.#stop.second, this.#stop.lateBy(flushMs)]);
  }

  /** Leaves the signals to others. */
  dispose(): void {
    this.#stop.dispose();
  }

  async #parse(): Promise<Invocation | number> {
    const { packages = [] } = this.#options;
    const need = { ...commandLineNeed, packages: [...commandLineNeed.packages, ...packages] };
    const { parseCommandLine } = await withPackages(need, () => import('./command-line.ts'));
    const { stdout, stderr, env, argv } = this.#options;
    const writeOut = (text: string): void => this.#stdout.write(text);
    const writeErr = (text: string): void => this.#stderr.write(text);
    return parseCommandLine(this.#options, commonOptions, argv, { stdout, stderr, writeOut, writeErr, env });
  }

  async #invoke({ command, options: raw, args }: Invocation): Promise<number> {
    const { env } = this.#options;
    const specs = [
      ...(command.options ?? []),
      ...commonOptions.everywhere,
      ...(command.settings ? commonOptions.settings : []),
    ];
    const { values, settings } = readOptions(specs, raw, env);
    const level = values.logLevel as LogLevel;
    this.#debug ||= level === 'debug';
    const config = this.#config(command, values, settings);
    for (const spec of command.options ?? []) {
      if (spec.setting !== undefined) values[keyOf(spec)] = config.get(spec.setting);
    }
    const context = this.#context(config, values, readArguments(command.arguments ?? [], args), level);
    checkIdleSettings(command, values, config, context.logger);
    this.#onFirstSignal = (signal) => context.logger.info({ signal }, 'stopping: a second signal ends at once');
    const lateByMs = command.commits ? commitMs : stopMs;
    const outcome = await Promise.race([
      outcomeOf(command, context),
      this.#stop.second.then((atOnce) => ({ atOnce })),
      this.#stop.lateBy(lateByMs).then(() => ({ lateByMs })),
    ]);
    this.#stderr.stopProgress();
    if ('atOnce' in outcome || 'lateByMs' in outcome) this.endedAtOnce = true;
    if ('lateByMs' in outcome) context.logger.warn({}, lateText(command, lateByMs));
    return this.#codeOf(outcome, command.kindFor?.(values) ?? command.kind);
  }

  #config(
    command: CommandSpec,
    values: Record<string, unknown>,
    options: ReadonlyMap<SettingName, OptionValue>,
  ): Config {
    const { env, commands, applicationId } = this.#options;
    return loadConfig({
      flags: readSetFlags((values.set ?? []) as readonly string[]),
      options,
      env,
      knownEnvironment: commands.flatMap((each) => (each.options ?? []).flatMap((option) => option.env ?? [])),
      file: values.config as string | undefined,
      runtime: command.runtime ?? 'embedded',
      applicationId,
    });
  }

  #context(
    config: Config,
    options: Record<string, unknown>,
    args: Record<string, unknown>,
    level: LogLevel,
  ): CommandContext {
    const { env, stdout, stderr } = this.#options;
    const write = (text: string): void => this.#stderr.write(text);
    return {
      options,
      args,
      config,
      stdout: this.#stdout,
      stderr: { write },
      logger: createLogger({ level, plain: this.#stderr.isTTY, color: mayColor(stderr, env), write }),
      signal: this.#stop.signal,
      progress: this.#stderr,
      isTTY: this.#stdout.isTTY,
      color: mayColor(stdout, env),
      env,
    };
  }

  #codeOf(outcome: Outcome, kind: CommandKind): number {
    if ('atOnce' in outcome) return outcome.atOnce;
    const { first, signal } = this.#stop;
    if ('error' in outcome && !(signal.aborted && isAbort(outcome.error))) return this.#report(outcome.error);
    const { failure } = this.#stdout;
    if (failure !== undefined) {
      return this.#report(
        new StreamsError('STREAMS_FILE', `cannot write results: ${messageOf(failure)}.`, { cause: failure }),
      );
    }
    if ('code' in outcome && outcome.code !== undefined) return outcome.code;
    return first === undefined || kind === 'continuous' ? 0 : exitCodeOfSignal(first);
  }

  #report(error: unknown): number {
    const color = mayColor(this.#options.stderr, this.#options.env);
    this.#stderr.write(errorReport(error, { debug: this.#debug, color }));
    return exitCodeOf(error);
  }
}

function lateText({ commits }: CommandSpec, ms: number): string {
  const state = commits ? ': what it had not committed is read again by the next run' : '';
  return `ended ${ms / 1000} s after the signal, in the middle of what it was waiting for${state}`;
}

async function outcomeOf(command: CommandSpec, context: CommandContext): Promise<Outcome> {
  try {
    const code = await command.run(context);
    return { code: typeof code === 'number' ? code : undefined };
  } catch (error) {
    return { error };
  } finally {
    // Before the verdict: results that cannot be written are a failure.
    await context.stdout.flush();
  }
}

/** Whether an error only says that the work was aborted. */
function isAbort(error: unknown): boolean {
  return (
    error instanceof Error && (error.name === 'AbortError' || (error as NodeJS.ErrnoException).code === 'ABORT_ERR')
  );
}
