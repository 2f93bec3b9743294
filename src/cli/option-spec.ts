import type { SettingName } from '../config/settings.ts';

/**
 * One option of a command.
 *
 * Its key in the values is its long name in camel case: `--move-done <dir>` is `moveDone`.
 */
export interface OptionSpec {
  /** `--follow` (true or false), `--state <dir>` (takes a value), `--diff [dir]` (may take one: '' for none) or `-o, --out <dir>`. */
  readonly flags: string;
  readonly description: string;
  /** As a user would type it: it is parsed too. */
  readonly default?: string;
  /** Environment variable that gives the value when the command line doesn't; it must start with `WEIR_`. Repeated values are separated by commas. */
  readonly env?: string;
  /** May be given several times: the value is an array. */
  readonly repeatable?: boolean;
  /** The command refuses to start without it. */
  readonly required?: boolean;
  /** Long name of the option without which it means nothing: given on the command line without it, it is refused. */
  readonly needs?: string;
  /** The words it accepts. */
  readonly choices?: readonly string[];
  /** The setting that it sets. Type, default and environment variable are then the setting's. */
  readonly setting?: SettingName;
  /** Makes the value from text. What it throws becomes a usage error with its message. */
  readonly parse?: (text: string) => unknown;
}

/** One argument of a command: required unless `optional` or `variadic`. Only the last may be variadic. */
export interface ArgumentSpec {
  readonly name: string;
  readonly description: string;
  readonly optional?: boolean;
  /** Takes all that follow: the value is an array. */
  readonly variadic?: boolean;
  readonly choices?: readonly string[];
}

/** `--json`, for commands that have a form of output for machines. */
export const jsonOption: { readonly flags: '--json'; readonly description: string } = {
  flags: '--json',
  description: 'print JSON',
};

/** `--safe-csv`, for commands that write CSV. */
export const safeCsvOption: { readonly flags: '--safe-csv'; readonly description: string } = {
  flags: '--safe-csv',
  description: 'CSV: put an apostrophe before what a spreadsheet would run as a formula',
};

/** `--format`: how files of other columns are read. */
export const formatOption: { readonly flags: '--format <file>'; readonly description: string } = {
  flags: '--format <file>',
  description: 'JSON file that says how the files are written, and which of their columns and times are ours',
};
