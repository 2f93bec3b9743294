import { realpath } from 'node:fs/promises';
import type { Reader } from '../../state/database.ts';
import { messageOf, StreamsError } from '../common/errors.ts';
import { type FileFormat, ledgerColumns } from '../files/file-dialect.ts';
import { FileLedger, feedPrefix } from '../files/file-ledger.ts';
import { listFolder } from '../files/folder.ts';
import { type ApplicationSpec, topicsOf } from './application.ts';

/** A folder that is a topic. */
export interface FolderInput {
  readonly topic: string;
  readonly directory: string;
}

/**
 * The folders of `--events` with their topics.
 *
 * @throws {@link StreamsError} `STREAMS_USAGE` - one is given twice. `STREAMS_FILE` - one is not there. `STREAMS_INPUT_REFUSED` - a file is there in both forms.
 */
export async function folderInputs(
  spec: ApplicationSpec,
  directories: readonly string[],
  format: FileFormat,
): Promise<readonly FolderInput[]> {
  const topics = topicsOf(spec, directories.length);
  const inputs: FolderInput[] = [];
  const seen = new Map<string, string>();
  for (const [i, directory] of directories.entries()) {
    const topic = topics[i]!;
    if (directory === '') throw new StreamsError('STREAMS_USAGE', '--events "": expected the path of a folder.');
    await listFolder(topic, directory, format);
    const real = await realpath(directory).catch((cause) => {
      throw new StreamsError('STREAMS_FILE', `${directory} cannot be read: ${messageOf(cause)}`, {
        file: directory,
        cause,
      });
    });
    const other = seen.get(real);
    if (other !== undefined) {
      throw new StreamsError(
        'STREAMS_USAGE',
        `--events ${other} and --events ${directory} are the same folder: give it once.`,
      );
    }
    seen.set(real, directory);
    inputs.push({ topic, directory });
  }
  return inputs;
}

/**
 * Refuses folders in another order than before: a file that one topic was read from has moved to the folder of another topic, which does not know it.
 *
 * Files of the same name in both folders are not told apart here, but by their content when they are read.
 *
 * @throws {@link StreamsError} `STREAMS_INPUT_REFUSED`
 */
export async function refuseSwapped(
  database: Reader,
  inputs: readonly FolderInput[],
  options: { readonly format: FileFormat; readonly byPartition: boolean },
): Promise<void> {
  if (inputs.length < 2) return;
  const folders = await Promise.all(inputs.map((input) => namesOf(database, input, options)));
  for (const [i, { known, there }] of folders.entries()) {
    for (const name of known) {
      if (there.has(name)) continue;
      const at = folders.findIndex((other, j) => j !== i && other.there.has(name) && !other.known.has(name));
      if (at < 0) continue;
      const { topic, directory } = inputs[i]!;
      throw new StreamsError(
        'STREAMS_INPUT_REFUSED',
        `${name} was read as topic ${topic}, and now stands in ${inputs[at]!.directory} of topic ${inputs[at]!.topic} instead of ${directory}. ` +
          'Give the folders of --events in the order of the first run.',
        { topic, file: name },
      );
    }
  }
}

async function namesOf(
  database: Reader,
  { topic, directory }: FolderInput,
  { format, byPartition }: { readonly format: FileFormat; readonly byPartition: boolean },
): Promise<{ readonly known: ReadonlySet<string>; readonly there: ReadonlySet<string> }> {
  const ledger = new FileLedger(topic, ledgerColumns(format), feedPrefix(topic, byPartition ? 0 : undefined));
  await ledger.load(database);
  const known = new Set([...ledger.entries()].map(({ name }) => name));
  const there = new Set((await listFolder(topic, directory, format)).map(({ name }) => name));
  return { known, there };
}
