import { StreamsError } from '../common/errors.ts';
import type { Logger } from '../common/logger.ts';
import { asEnd, isRecordFailure } from '../processor/node.ts';

/** What to do with a record whose processing failed. */
export type ProcessingExceptionHandler = (error: StreamsError) => 'continue' | 'fail';

/**
 * Asks the handler what becomes of a record whose processing failed.
 *
 * @param where - Names the record.
 * @returns the failure as it was before the record was named, where the record is passed over
 * @throws StreamsError that names the record, if it is to be the end; any other error as it is.
 */
export function askHandler(
  error: unknown,
  where: string,
  place: StreamsError['details'],
  handler: ProcessingExceptionHandler,
): StreamsError {
  if (!isRecordFailure(error)) throw error;
  const placed = new StreamsError(error.code, `${where}: ${error.message}`, {
    ...error.details,
    ...place,
    cause: error.details.cause ?? error,
  });
  if (handler(placed) === 'fail') throw asEnd(placed);
  return error;
}

/** As a handler of what is about no single record, such as changes that fail at a flush: asks, and tells of those that are passed over. */
export function toldIfPassedOver(
  handler: ProcessingExceptionHandler,
  logger: Logger,
  about: Readonly<Record<string, unknown>> = {},
): ProcessingExceptionHandler {
  return (error) => {
    const decided = handler(error);
    if (decided === 'continue') logger.warn({ ...about, code: error.code }, error.message);
    return decided;
  };
}
