import { messageOf, StreamsError } from '../common/errors.ts';

/** What an operation at a target failed for. */
export function sinkError(url: string, what: string, cause: unknown, todo: string, retriable = false): StreamsError {
  const reason = cause === undefined ? '' : `: ${messageOf(cause)}`;
  return new StreamsError('STREAMS_SINK', `${what} at ${url}${reason}. ${todo}`, {
    file: url,
    cause,
    retriable,
  });
}
