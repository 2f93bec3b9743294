import { setImmediate as breath } from 'node:timers/promises';
import { concatBytes, equalBytes } from '../../src/common/bytes.ts';
import { crc32c } from '../../src/common/crc.ts';
import { maskedCrc, readUint32 } from './log-records.ts';
import type { TableEntry } from './manifest.ts';
import { NumberReader } from './read-numbers.ts';
import { decompressSnappy } from './snappy.ts';

/** Where a block lies in its file. */
interface Handle {
  readonly offset: number;
  readonly size: number;
}

const trailerBytes = 5;
const footerBytes = 48;
const magic = [0x57, 0xfb, 0x80, 0x8b, 0x24, 0x75, 0x47, 0xdb];
/** Bytes that are checked without a pause. */
const turnBytes = 4 * 1024 * 1024;

/**
 * Checks a table file against its own checksums and against what the manifest knows of it. Blocks follow each other without a gap, a trailer behind each, so no byte is left out:
 *
 * ```
 * | data blocks | filter | metaindex | index | footer: 48 |         block: | bytes | type: 1 (1: Snappy) | masked CRC-32C of both: 4 |
 * footer  | handle of the metaindex | handle of the index | zeros | magic number: 8 |         handle: | offset | size |, in groups of 7 bits
 * ```
 *
 * @returns what is wrong with it, as the rest of a sentence; undefined if nothing is.
 */
export async function checkTable(file: Uint8Array, entry: TableEntry): Promise<string | undefined> {
  if (file.length !== entry.bytes) return `has ${file.length} bytes, not ${entry.bytes} as the manifest says`;
  try {
    return (await brokenBlock(file)) ?? otherKeys(file, entry);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return `is no table file: ${error.message}`;
  }
}

async function brokenBlock(file: Uint8Array): Promise<string | undefined> {
  let next = 0;
  let checked = 0;
  for (const { offset, size } of blocksOf(file)) {
    const end = offset + size + trailerBytes;
    if (offset !== next || end > file.length - footerBytes) return `has no block at byte ${next}`;
    next = end;
    if (!isWhole(file, { offset, size })) return `has a block at byte ${offset} that is not what was written`;
    checked += size;
    if (checked < turnBytes) continue;
    checked = 0;
    await breath();
  }
  return next === file.length - footerBytes ? undefined : `has no block at byte ${next}`;
}

/** All blocks, as they should follow each other. */
function blocksOf(file: Uint8Array): readonly Handle[] {
  const { metaindex, index } = footerOf(file);
  return [...handlesIn(file, index), ...handlesIn(file, metaindex), metaindex, index];
}

function footerOf(file: Uint8Array): { readonly metaindex: Handle; readonly index: Handle } {
  const from = file.length - footerBytes;
  if (from < 0) throw new RangeError('it is too short');
  if (!magic.every((byte, i) => file[file.length - magic.length + i] === byte)) throw new RangeError('its end is not');
  const reader = new NumberReader(file, from);
  return { metaindex: readHandle(reader), index: readHandle(reader) };
}

function readHandle(reader: NumberReader): Handle {
  return { offset: reader.next(), size: reader.next() };
}

/** The handles that the entries of a block have as their values. */
function handlesIn(file: Uint8Array, handle: Handle): readonly Handle[] {
  return entriesOf(blockAt(file, handle)).map(({ value }) => readHandle(new NumberReader(value)));
}

function isWhole(file: Uint8Array, { offset, size }: Handle): boolean {
  const end = offset + size + 1;
  return maskedCrc(crc32c(file, offset, end)) === readUint32(file, end);
}

function blockAt(file: Uint8Array, handle: Handle): Uint8Array {
  const { offset, size } = handle;
  if (offset + size + trailerBytes > file.length) throw new RangeError('a block lies outside of it');
  if (!isWhole(file, handle)) throw new RangeError(`the block at byte ${offset} is not what was written`);
  const bytes = file.subarray(offset, offset + size);
  return file[offset + size] === 1 ? decompressSnappy(bytes) : bytes;
}

interface BlockEntry {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

/** Entries of a block: each has of its key what differs from the key before. Behind them are restart points, and their number. */
function entriesOf(block: Uint8Array): readonly BlockEntry[] {
  if (block.length < 4) throw new RangeError('a block is too short');
  const end = block.length - 4 - 4 * readUint32(block, block.length - 4);
  if (end < 0) throw new RangeError('a block is too short');
  const reader = new NumberReader(block, 0, end);
  const entries: BlockEntry[] = [];
  let before: Uint8Array = new Uint8Array(0);
  while (!reader.done) {
    const [shared, added, size] = [reader.next(), reader.next(), reader.next()];
    if (shared > before.length) throw new RangeError('a key of a block begins with what is not there');
    const key: Uint8Array = concatBytes(before.subarray(0, shared), reader.bytes(added));
    entries.push({ key, value: reader.bytes(size) });
    before = key;
  }
  return entries;
}

/** A file in the place of another is whole, too: its keys tell. */
function otherKeys(file: Uint8Array, { smallest, largest }: TableEntry): string | undefined {
  const handles = handlesIn(file, footerOf(file).index);
  const [firstBlock, lastBlock] = [handles[0], handles.at(-1)];
  if (firstBlock === undefined || lastBlock === undefined) return 'is empty';
  const first = entriesOf(blockAt(file, firstBlock))[0]?.key;
  const last = entriesOf(blockAt(file, lastBlock)).at(-1)?.key;
  const same = first !== undefined && last !== undefined && equalBytes(first, smallest) && equalBytes(last, largest);
  return same ? undefined : 'is another file than the manifest says: its keys are others';
}
