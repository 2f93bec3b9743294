import { createReadStream, type Dirent } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { createInterface } from 'node:readline';
import { verifyLevelDatabase } from '../../state/level-database.ts';
import { folderReason, StreamsError } from '../common/errors.ts';

/** Something in a state folder that is not as it was written. */
export interface StateDamage {
  /** Relative to the folder. */
  readonly path: string;
  /** As the rest of a sentence that begins with the path. */
  readonly what: string;
}

/** What a look at a whole state folder has found. */
export interface Verification {
  /** Databases and files of letters, relative to the folder. */
  readonly looked: readonly string[];
  /** Files of letters of those that end within a line: one that was being written when a run was killed. No commit has it, and the next run cuts it off. */
  readonly cutShort: readonly string[];
  readonly damages: readonly StateDamage[];
}

/**
 * Reads everything in a state folder: the database of a replay and its letters, or those of an instance on Kafka, its tasks and threads. Changes nothing.
 *
 * @throws {@link StreamsError} `STREAMS_STATE_MISSING` - it holds no state; `STREAMS_STATE_STORE_LOCKED` - somebody has it open.
 */
export async function verifyState(directory: string): Promise<Verification> {
  const found = await contentOf(directory);
  if (found.databases.length === 0)
    throw new StreamsError(
      'STREAMS_STATE_MISSING',
      `${directory} holds no state. Give the folder of a replay, or of an instance on Kafka, with --state.`,
      { file: directory },
    );
  const damages: StateDamage[] = [];
  for (const path of found.databases)
    for (const { file, what } of await verifyLevelDatabase(join(directory, path)))
      damages.push({ path: join(path, file), what });
  for (const path of found.withoutDatabase) damages.push({ path, what: 'is missing' });
  const cutShort: string[] = [];
  for (const path of found.letters) {
    const broken = await brokenLetter(join(directory, path));
    if (broken?.atEnd) cutShort.push(path);
    else if (broken !== undefined) damages.push({ path, what: `has no letter in line ${broken.line}` });
  }
  return { looked: [...found.databases, ...found.letters], cutShort, damages };
}

interface Content {
  readonly databases: readonly string[];
  /** Places where a task's database should be. */
  readonly withoutDatabase: readonly string[];
  readonly letters: readonly string[];
}

async function contentOf(directory: string): Promise<Content> {
  const entries = await entriesBelow(directory);
  const paths = entries.map((entry) => relative(directory, join(entry.parentPath, entry.name)));
  const folders = paths.filter((_, i) => entries[i]!.isDirectory());
  const databases = folders.filter((path) => /(^|\/)db$/.test(path) && isOurs(dirname(path)));
  const tasks = folders.filter((path) => /^(threads\/\d+\/)?tasks\/\d+_\d+$/.test(path));
  const expected = new Set(tasks.flatMap((path) => [join(path, 'db'), join(path, '..', '..', 'global', 'db')]));
  return {
    databases: databases.sort(),
    withoutDatabase: [...expected].filter((path) => !databases.includes(path)).sort(),
    letters: paths.filter((path, i) => /^(dead|late)\.jsonl$/.test(path) && entries[i]!.isFile()).sort(),
  };
}

const isOurs = (path: string): boolean => path === '.' || /^(threads\/\d+\/)?(global|tasks\/\d+_\d+)$/.test(path);

async function entriesBelow(directory: string): Promise<readonly Dirent[]> {
  try {
    return await readdir(directory, { recursive: true, withFileTypes: true });
  } catch (error) {
    throw new StreamsError(
      'STREAMS_STATE_MISSING',
      `${directory} cannot be read: ${folderReason(error)}. Give the folder of a state with --state.`,
      {
        file: directory,
        cause: error,
      },
    );
  }
}

/** The first line of a file of letters that is none, and whether the file ends within it. */
async function brokenLetter(path: string): Promise<{ readonly line: number; readonly atEnd: boolean } | undefined> {
  const input = createReadStream(path);
  let last: number | undefined;
  input.on('data', (bytes) => {
    last = (bytes as Buffer).at(-1);
  });
  let number = 0;
  let broken: number | undefined;
  for await (const line of createInterface({ input })) {
    if (broken !== undefined) return { line: broken, atEnd: false };
    number++;
    if (!isLetter(line)) broken = number;
  }
  return broken === undefined ? undefined : { line: broken, atEnd: last !== 0x0a };
}

function isLetter(line: string): boolean {
  try {
    const { file, raw, reason } = JSON.parse(line) as Record<string, unknown>;
    return [file, raw, reason].every((field) => typeof field === 'string');
  } catch {
    return false;
  }
}
