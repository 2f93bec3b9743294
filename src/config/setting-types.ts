/** How the text of a setting becomes its value. All sources give text, so one rule holds for flags, environment and files. */
export interface SettingType<T> {
  /** The value, or undefined if the text is refused. */
  readonly read: (text: string) => T | undefined;
  /** What the text must be, to follow "expected". */
  readonly expected: string;
}

/** The longest delay of a timer: beyond it, timers of Node fire at once. */
export const maxTimerMs: number = 2 ** 31 - 1;

/** A whole number in `[min, max]`. */
export function integer(min: number, max: number = Number.MAX_SAFE_INTEGER, unit?: string): SettingType<number> {
  const range = max === Number.MAX_SAFE_INTEGER ? `of at least ${min}` : `from ${min} to ${max}`;
  return {
    read(given) {
      const value = /^-?\d+$/.test(given.trim()) ? Number(given) : Number.NaN;
      return value >= min && value <= max ? value : undefined;
    },
    expected: unit === undefined ? `a whole number ${range}` : `a whole number of ${unit} ${range}`,
  };
}

const bytesPerUnit: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
};

/** A size: `67108864`, `64MiB`, `1.5 GiB`. KiB, MiB and GiB are powers of 1024, kB, MB and GB powers of 1000. */
export function bytes(): SettingType<number> {
  return {
    read(given) {
      const size = given.trim().toLowerCase();
      if (!/^\d+$|^\d+(\.\d+)?\s*[kmg]i?b$|^\d+\s*b$/.test(size)) return undefined;
      const value = Math.floor(Number.parseFloat(size) * bytesPerUnit[size.replace(/^[\d.\s]+/, '')]!);
      return Number.isSafeInteger(value) ? value : undefined;
    },
    expected: 'a number of bytes, or one with a unit such as 64MiB (KiB, MiB, GiB, kB, MB, GB)',
  };
}

/** `true` or `false`. */
export function boolean(): SettingType<boolean> {
  return {
    read(given) {
      const word = given.trim().toLowerCase();
      return word === 'true' ? true : word === 'false' ? false : undefined;
    },
    expected: 'true or false',
  };
}

/** One of a few words, in any case. `aliases` are accepted too and stand for one of them. */
export function choice<const T extends string>(
  values: readonly T[],
  aliases: Readonly<Record<string, T>> = {},
): SettingType<T> {
  return {
    read(given) {
      const word = given.trim().toLowerCase();
      return Object.hasOwn(aliases, word) ? aliases[word] : values.find((value) => value === word);
    },
    expected: `one of ${[...values, ...Object.keys(aliases)].join(', ')}`,
  };
}

/** Text that is not empty and fits a pattern. */
export function text(expected: string, pattern: RegExp = /\S/): SettingType<string> {
  return {
    read(given) {
      const trimmed = given.trim();
      return pattern.test(trimmed) ? trimmed : undefined;
    },
    expected,
  };
}

/** A type whose setting may also be left unset. */
export function optional<T>(type: SettingType<T>): SettingType<T | undefined> {
  return type;
}

const hostAndPort: RegExp = /^(?:\[[0-9a-f:.]+\]|[^\s:,[\]]+):(\d{1,5})$/i;

function isHostPort(given: string): boolean {
  const port = Number(hostAndPort.exec(given)?.[1]);
  return port >= 1 && port <= 65_535;
}

/** `host:port`. */
export function hostPort(): SettingType<string> {
  return {
    read: (given) => (isHostPort(given.trim()) ? given.trim() : undefined),
    expected: 'host:port',
  };
}

/** `host:port`, several of them separated by commas. */
export function hostPorts(): SettingType<readonly string[]> {
  return {
    read(given) {
      const list = given.split(',').map((item) => item.trim());
      return list.every(isHostPort) ? list : undefined;
    },
    expected: 'host:port, several separated by commas',
  };
}

/** Names of machines, several of them separated by commas. */
export function names(): SettingType<readonly string[]> {
  return {
    read(given) {
      const list = given.split(',').map((item) => item.trim());
      return list.every((item) => /^[^\s:/[\]]+$/.test(item)) ? list : undefined;
    },
    expected: 'names without a port, several separated by commas',
  };
}
