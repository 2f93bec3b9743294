import { inspect } from 'node:util';
import { messageOf, StreamsError } from '../common/errors.ts';
import { forCommands } from '../common/remedies.ts';
import { paint } from './output.ts';

/** How an error is reported. */
export interface ReportOptions {
  /** Adds the stack to errors of every kind. */
  readonly debug: boolean;
  readonly color: boolean;
}

/**
 * An error for stderr: one line `CODE: message`.
 *
 * An error without a code is `INTERNAL`. Programming mistakes (TypeError, RangeError) always bring their stack: the user can only pass it on.
 */
export function errorReport(error: unknown, options: ReportOptions): string {
  const code = StreamsError.is(error) ? error.code : 'INTERNAL';
  const message = forCommands(messageOf(error))
    .replace(/\s*[\r\n]+\s*/g, ' ')
    .trim();
  const line = `${paint(code, 'red', options.color)}: ${message}\n`;
  const isMistake = error instanceof TypeError || error instanceof RangeError;
  return options.debug || isMistake ? `${line}${inspect(error)}\n` : line;
}
