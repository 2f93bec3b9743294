import type { CommanderError, OutputConfiguration } from 'commander';
import { Argument, Command, Option } from 'commander';
import { StreamsError } from '../common/errors.ts';
import { didYouMean } from '../config/nearest.ts';
import { settings } from '../config/settings.ts';
import type { CommandSpec, ProgramSpec } from './command-spec.ts';
import type { ArgumentSpec, OptionSpec } from './option-spec.ts';
import type { CliStream } from './output.ts';
import { mayColor, paint } from './output.ts';
import type { RawValue } from './read-options.ts';
import { longFlagOf, takesValue, variableOf } from './read-options.ts';

/** A command line, understood. */
export interface Invocation {
  readonly command: CommandSpec;
  readonly options: Readonly<Record<string, RawValue>>;
  readonly args: readonly RawValue[];
}

/** Where help is written. */
export interface HelpSurface {
  readonly stdout: CliStream;
  readonly stderr: CliStream;
  readonly writeOut: (text: string) => void;
  readonly writeErr: (text: string) => void;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Options that several commands share. */
export interface CommonOptions {
  readonly everywhere: readonly OptionSpec[];
  /** For commands with `settings`. */
  readonly settings: readonly OptionSpec[];
}

const commonGroup = 'Common options:';
const widthWithoutTerminal = 100;

/**
 * Reads a command line: what to run, or the exit code if help or the version was shown instead.
 *
 * @throws {@link StreamsError} `STREAMS_USAGE`, with the nearest name if one is unknown.
 */
export function parseCommandLine(
  program: ProgramSpec,
  common: CommonOptions,
  argv: readonly string[],
  surface: HelpSurface,
): Invocation | number {
  let invocation: Invocation | undefined;
  const root = buildProgram(program, common, surface, (found) => {
    invocation = found;
  });
  try {
    root.parse([...argv], { from: 'user' });
  } catch (error) {
    if (!(error instanceof ParserEnd)) throw error;
    return afterEnd(error);
  }
  if (invocation === undefined) throw new TypeError('the command line chose no command');
  return invocation;
}

/** The parser's wish to end the process, with the command in which it arose. */
class ParserEnd extends Error {
  readonly reason: CommanderError;
  readonly at: Command;

  constructor(reason: CommanderError, at: Command) {
    super(reason.message);
    this.reason = reason;
    this.at = at;
  }
}

function afterEnd({ reason, at }: ParserEnd): number {
  if (reason.exitCode === 0) return 0;
  // Help that nobody asked for: the command itself was missing.
  if (reason.code === 'commander.help') return 2;
  const message = reason.message.replace(/^error: /, '').replace(/\.$/, '');
  const unknown = /'([^']+)'/.exec(message)?.[1] ?? '';
  const hint = reason.code.startsWith('commander.unknown') ? didYouMean(unknown, namesFor(reason.code, at)) : '';
  throw new StreamsError('STREAMS_USAGE', `${message}.${hint} See ${pathOf(at)} --help.`);
}

function namesFor(code: string, at: Command): readonly string[] {
  if (code === 'commander.unknownCommand') return at.commands.map((command) => command.name());
  return [...at.options.map((option) => option.long ?? ''), '--help'];
}

function pathOf(command: Command): string {
  return command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`;
}

function buildProgram(
  program: ProgramSpec,
  common: CommonOptions,
  surface: HelpSurface,
  found: (invocation: Invocation) => void,
): Command {
  const root = new Command(program.name);
  root
    .description(program.description)
    .version(program.version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .helpCommand('help [command]', 'print the help of a command')
    .showSuggestionAfterError(false)
    .configureOutput(outputOf(surface))
    .configureHelp({ styleTitle: (title) => paint(title, 'bold', true) })
    .addHelpText('after', environmentHelp);
  endQuietly(root);
  const groups = new Map<string, Command>();
  for (const spec of program.commands) {
    const [first, second, ...more] = spec.name.split(' ');
    if (first === undefined || more.length > 0)
      throw new TypeError(`a command has one word or two, not ${JSON.stringify(spec.name)}`);
    const parent = second === undefined ? root : groupOf(root, groups, first, program);
    addCommand(parent, second ?? first, spec, program, common, found);
  }
  return root;
}

function groupOf(root: Command, groups: Map<string, Command>, name: string, program: ProgramSpec): Command {
  const known = groups.get(name);
  if (known !== undefined) return known;
  const members = program.commands.filter((spec) => spec.name.startsWith(`${name} `)).map((spec) => spec.name);
  const group = root.command(name).description(program.groups?.[name] ?? members.join(', '));
  endQuietly(group);
  groups.set(name, group);
  return group;
}

/** Makes the parser throw instead of ending the process. */
function endQuietly(command: Command): void {
  command.exitOverride((reason) => {
    throw new ParserEnd(reason, command);
  });
}

function addCommand(
  parent: Command,
  name: string,
  spec: CommandSpec,
  { applicationId }: ProgramSpec,
  common: CommonOptions,
  found: (invocation: Invocation) => void,
): void {
  if (spec.examples.length === 0) throw new TypeError(`command ${spec.name} needs an example`);
  const command = parent
    .command(name)
    .summary(spec.summary)
    .description(spec.description ?? spec.summary);
  endQuietly(command);
  for (const argument of spec.arguments ?? []) command.addArgument(argumentOf(argument));
  for (const option of spec.options ?? []) command.addOption(optionOf(option, applicationId));
  const shared = [...(spec.settings ? common.settings : []), ...common.everywhere];
  for (const option of shared) command.addOption(optionOf(option).helpGroup(commonGroup));
  command.addHelpText('after', `\nExamples:\n${spec.examples.map((example) => `  ${example}\n`).join('')}`);
  command.action(() => {
    found({
      command: spec,
      options: command.opts<Record<string, RawValue>>(),
      args: command.processedArgs as RawValue[],
    });
  });
}

function argumentOf(spec: ArgumentSpec): Argument {
  const word = spec.variadic ? `${spec.name}...` : spec.name;
  const choices = spec.choices === undefined ? '' : ` (one of ${spec.choices.join(', ')})`;
  return new Argument(spec.optional || spec.variadic ? `[${word}]` : `<${word}>`, spec.description + choices);
}

/** Defaults and variables are described here and read elsewhere: the parser would read the environment of the process by itself. */
function optionOf(spec: OptionSpec, applicationId?: string): Option {
  longFlagOf(spec);
  if (spec.flags.includes('--no-')) throw new TypeError(`option ${spec.flags}: --no- is not supported`);
  if (spec.setting !== undefined && spec.repeatable)
    throw new TypeError(`option ${spec.flags} sets a setting: it takes one value, or is a switch`);
  if (spec.env !== undefined && !spec.env.startsWith('WEIR_'))
    throw new TypeError(`variable ${spec.env} must start with WEIR_`);
  const option = new Option(spec.flags, spec.description + factsOf(spec, applicationId));
  if (spec.repeatable)
    return option.argParser((text: string, before: string[] | undefined) => [...(before ?? []), text]);
  return takesValue(spec) ? option.argParser((text: string, before?: string) => onlyOnce(spec, text, before)) : option;
}

/** The last of two values would hide the first, and nobody would see it. */
function onlyOnce(spec: OptionSpec, text: string, before: string | undefined): string {
  if (before === undefined) return text;
  const both = `${JSON.stringify(before)} and ${JSON.stringify(text)}`;
  throw new StreamsError('STREAMS_USAGE', `${longFlagOf(spec)} is given twice, as ${both}: give it once.`);
}

function factsOf(spec: OptionSpec, applicationId: string | undefined): string {
  const facts: string[] = [];
  const bySetting = spec.setting === 'application.id' ? applicationId : undefined;
  const byDefault = spec.setting === undefined ? spec.default : (bySetting ?? settings[spec.setting].defaultText);
  const variable = variableOf(spec);
  if (spec.choices !== undefined) facts.push(`one of ${spec.choices.join(', ')}`);
  if (spec.required) facts.push('required');
  if (spec.repeatable) facts.push('repeatable');
  if (byDefault !== undefined && byDefault !== 'none') facts.push(`default: ${byDefault}`);
  if (spec.setting !== undefined) facts.push(`setting: ${spec.setting}`);
  if (variable !== undefined) facts.push(`env: ${variable}`);
  return facts.length === 0 ? '' : ` (${facts.join('; ')})`;
}

function outputOf(surface: HelpSurface): OutputConfiguration {
  return {
    writeOut: surface.writeOut,
    writeErr: surface.writeErr,
    // Errors are reported in one place, as one line with a code.
    outputError: () => {},
    getOutHelpWidth: () => surface.stdout.columns ?? widthWithoutTerminal,
    getErrHelpWidth: () => surface.stderr.columns ?? widthWithoutTerminal,
    getOutHasColors: () => mayColor(surface.stdout, surface.env),
    getErrHasColors: () => mayColor(surface.stderr, surface.env),
  };
}

const environmentHelp = `
Settings: --set NAME=VALUE, else the environment (WEIR_COMMIT_INTERVAL_MS for commit.interval.ms),
else --config FILE, else the default.

Environment:
  WEIR_CONFIG     a configuration file
  WEIR_LOG_LEVEL  the log level
  WEIR_DEBUG=1    adds stacks to errors
  NO_COLOR=1      turns colours off

Exit codes:
  0         done, or a continuous command that was stopped
  1         failed while running
  2         usage or configuration
  3         state or input refused
  130, 143  stopped by SIGINT or SIGTERM
`;
