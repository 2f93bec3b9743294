import { StreamsError } from '../common/errors.ts';
import type { FeedProgress } from '../runtime/feed.ts';

/** The error for files of a topic that could not be read. */
export function refusedError({ topic, refused = {}, filesTotal }: FeedProgress): StreamsError {
  const files = Object.entries(refused);
  const [first] = files;
  const shown = files.slice(0, 10).map(([file, problem]) => `${file}: ${problem}`);
  const more = files.length > shown.length ? `; and ${files.length - shown.length} more` : '';
  const count = files.length === 1 ? 'a file' : `${files.length} of ${filesTotal} files`;
  return new StreamsError(
    'STREAMS_INPUT_REFUSED',
    `${count} of topic ${topic} cannot be read, and nothing of ${files.length === 1 ? 'it' : 'them'} counts. ${`${shown.join('; ')}${more}`.replace(/[^?]$/, '$&.')} ` +
      'Correct what is wrong in place, or say in a format (--format) how the files are written, and run again.',
    { topic, ...(first !== undefined && { file: first[0] }) },
  );
}
