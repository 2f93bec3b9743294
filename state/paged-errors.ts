import { StreamsError } from '../src/common/errors.ts';

/** For rows that are no pages: written by other code, or damaged. */
export function damagedPage(what: string): StreamsError {
  return new StreamsError(
    'STREAMS_STATE_STORE_CORRUPT',
    `${what}. The store was written by other code or damaged: rebuild its state.`,
  );
}
