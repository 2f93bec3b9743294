import type { SettingName, SettingValues } from '../config/settings.ts';
import type { ArgumentSpec, OptionSpec } from './option-spec.ts';

/** `-o, --move-done <dir>` is `move-done`. */
type LongName<Flags extends string> = Flags extends `${string}--${infer Rest}`
  ? Rest extends `${infer Name} ${string}`
    ? Name
    : Rest
  : Flags;

type CamelCase<Name extends string> = Name extends `${infer Head}-${infer Tail}`
  ? `${Head}${Capitalize<CamelCase<Tail>>}`
  : Name;

/** Key of an option's value: `--move-done <dir>` is `moveDone`. */
export type OptionKey<Flags extends string> = CamelCase<LongName<Flags>>;

type TakesValue<Flags extends string> = Flags extends `${string}${'<' | '['}${string}` ? true : false;

/** One value, before `repeatable` and absence. */
type Single<S> = S extends { readonly parse: (text: string) => infer T }
  ? T
  : S extends { readonly choices: readonly (infer Word)[] }
    ? Word
    : string;

type IsSure<S> = S extends { readonly default: string } ? true : S extends { readonly required: true } ? true : false;

/** Type of an option's value. */
export type OptionValue<S extends OptionSpec> = S extends { readonly setting: infer N extends SettingName }
  ? SettingValues[N]
  : TakesValue<S['flags']> extends false
    ? boolean
    : S extends { readonly repeatable: true }
      ? readonly Single<S>[]
      : IsSure<S> extends true
        ? Single<S>
        : Single<S> | undefined;

/** Values of a command's options by {@link OptionKey}. */
export type OptionValues<O extends readonly OptionSpec[]> = string extends O[number]['flags']
  ? Readonly<Record<string, unknown>>
  : { readonly [S in O[number] as OptionKey<S['flags']>]: OptionValue<S> };

type ArgumentWord<A> = A extends { readonly choices: readonly (infer Word)[] } ? Word : string;

/** Type of an argument's value. */
export type ArgumentValue<A extends ArgumentSpec> = A extends { readonly variadic: true }
  ? readonly ArgumentWord<A>[]
  : A extends { readonly optional: true }
    ? ArgumentWord<A> | undefined
    : ArgumentWord<A>;

/** Values of a command's arguments by name. */
export type ArgumentValues<A extends readonly ArgumentSpec[]> = string extends A[number]['name']
  ? Readonly<Record<string, unknown>>
  : { readonly [S in A[number] as S['name']]: ArgumentValue<S> };
