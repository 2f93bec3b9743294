import { messageOf } from './errors.ts';

/** What the library logs to. Any pino logger fits, and so does `console`. Where none is given, warnings and errors go to stderr: {@link stderrLogger}. */
export interface Logger {
  /** Details for whoever looks for a fault. */
  debug(fields: object, message: string): void;
  /** What happens as it should. */
  info(fields: object, message: string): void;
  /** What somebody should look at. */
  warn(fields: object, message: string): void;
  /** What failed. */
  error(fields: object, message: string): void;
}

/** A logger that says nothing. */
export const silentLogger: Logger = { debug() {}, info() {}, warn() {}, error() {} };

/** Writes warnings and errors to stderr, a line each, and nothing else: what clients and feeds log to that are given no logger. */
export const stderrLogger: Logger = {
  debug() {},
  info() {},
  warn: (fields, message) => writeLine('warning', fields, message),
  error: (fields, message) => writeLine('error', fields, message),
};

function writeLine(level: string, fields: object, message: string): void {
  const about = Object.entries(fields).flatMap(([name, value]) => {
    const text = value instanceof Error ? messageOf(value) : typeof value === 'string' ? value : JSON.stringify(value);
    // The message of an error is said already.
    return text === undefined || message.includes(text) ? [] : [`${name}=${text}`];
  });
  process.stderr.write(`weir: ${level}: ${[message, ...about].join(' ')}\n`);
}
