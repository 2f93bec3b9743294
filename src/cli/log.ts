import type { Logger } from '../common/logger.ts';
import { commandLineNeed, requirePackage } from '../common/optional-packages.ts';
import { forCommands } from '../common/remedies.ts';
import { paint } from './output.ts';

/** How much is logged. */
export const logLevels = ['debug', 'info', 'warn', 'error', 'silent'] as const;

/** One of {@link logLevels}. */
export type LogLevel = (typeof logLevels)[number];

/** How log lines look and where they go. */
export interface LogOptions {
  readonly level: LogLevel;
  /** One readable line each, instead of JSON. */
  readonly plain: boolean;
  readonly color: boolean;
  /** Takes one line with its end. */
  readonly write: (line: string) => void;
}

/** A logger for a process: JSON lines for machines, plain ones for a terminal. */
export function createLogger(options: LogOptions): Logger {
  let logger: Logger | undefined;
  const least = logLevels.indexOf(options.level);
  const at = (level: keyof Logger): Logger[keyof Logger] => {
    if (logLevels.indexOf(level) < least) return () => {};
    return (fields, message) => {
      // Made with the first line: many commands log none.
      logger ??= createPino(options);
      logger[level](fields, forCommands(message));
    };
  };
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

function createPino({ level, plain, color, write }: LogOptions): Logger {
  const { pino } = requirePackage(commandLineNeed, 'pino') as typeof import('pino');
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    { write: plain ? (line: string) => write(plainLine(line, color)) : write },
  );
}

const levelColors: Readonly<Record<string, 'dim' | 'cyan' | 'yellow' | 'red'>> = {
  debug: 'dim',
  info: 'cyan',
  warn: 'yellow',
  error: 'red',
};

/** `08:00:01.250 WARN  late records dropped task=0_0 count=3`. */
function plainLine(json: string, color: boolean): string {
  const { level, time, msg, err, ...fields } = JSON.parse(json) as Record<string, unknown>;
  const name = String(level);
  const clock = String(time).slice(11, 23);
  const rest = Object.entries(fields).map(
    ([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  );
  const stack = (err as { stack?: string } | undefined)?.stack;
  const words = [
    clock,
    paint(name.toUpperCase().padEnd(5), levelColors[name] ?? 'dim', color),
    String(msg ?? ''),
    ...rest,
  ];
  return `${words.join(' ')}\n${stack === undefined ? '' : `${stack}\n`}`;
}
