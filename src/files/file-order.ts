import { rangeInName } from '../sink/file-names.ts';
import { compareNames } from './folder.ts';

interface OrderedFile {
  readonly name: string;
  /** The day or hour of its folder in digits, `20180101` or `2018010113`; '' outside of one. */
  readonly period: string;
  /** Files of one lane keep their order: those that a sink wrote of one partition, and all others. */
  readonly lane: string;
  /** Offset of the first record that a sink's file was made from. */
  readonly first: number;
  /** The latest period that its lane has come to. */
  reached: string;
}

/**
 * Names of a topic's files in the order in which they are read.
 *
 * Files of plain names: in the byte order of names; those of dated folders by day and hour before that. Files that a sink wrote: those of one partition by the
 * offsets in their names, and by day where they have the same; among partitions the one comes first that is at the earliest day. So a file of records that came
 * late, written after those of later days, is read after them, as its records came.
 *
 * Partition 0 has files of 1 and 2 January and then a further one of the 1st, partition 1 has one of each day: read are 0's of the 1st, 1's of the 1st,
 * 0's of the 2nd, 0's further one of the 1st, 1's of the 2nd.
 */
export function inReadingOrder(names: readonly string[]): string[] {
  if (!names.some((name) => name.includes('/'))) return [...names].sort(compareNames);
  const files = names.map(fileOf);
  files.sort(
    (a, b) =>
      compareNames(a.lane, b.lane) ||
      a.first - b.first ||
      compareNames(a.period, b.period) ||
      compareNames(a.name, b.name),
  );
  for (let i = 1; i < files.length; i++) {
    const [before, file] = [files[i - 1]!, files[i]!];
    if (file.lane === before.lane && file.reached < before.reached) file.reached = before.reached;
  }
  // The sort is stable: within a day lanes and their orders stay.
  return files.sort((a, b) => compareNames(a.reached, b.reached)).map(({ name }) => name);
}

/** Folders of days, and of hours in them. */
const datedFolders = /^(?:\d{8}|date=\d{4}-\d\d-\d\d)\/(?:(?:\d\d|hour=\d\d)\/)?$/;

function fileOf(name: string): OrderedFile {
  const slash = name.lastIndexOf('/');
  const folders = name.slice(0, slash + 1);
  const period = datedFolders.test(folders) ? folders.replace(/\D/g, '') : '';
  const range = slash < 0 ? undefined : rangeInName(name);
  if (range === undefined) return { name, period, lane: '', first: 0, reached: period };
  return { name, period, lane: range.stem.replace(`_${period}-`, '-'), first: range.first, reached: period };
}
