import * as zlib from 'node:zlib';
import { messageOf, StreamsError } from '../../common/errors.ts';
import { installLine, requirePackage } from '../../common/optional-packages.ts';
import { mostInLz4Frame } from './lz4-frame.ts';
import { tooLarge, UnsupportedData } from './unreadable-batch.ts';
import { uncompressXerial, xerial } from './xerial.ts';
import { uncompressZstd } from './zstd.ts';

/** How the records of a batch are compressed. */
export type CompressionCodec = 'none' | 'gzip' | 'lz4' | 'snappy' | 'zstd';

interface Lz4 {
  compressFrameSync(bytes: Buffer): Buffer;
  decompressFrameSync(bytes: Buffer): Buffer;
}

interface Snappy {
  compressSync(bytes: Buffer): Buffer;
  uncompressSync(bytes: Buffer): Buffer;
}

const loaded = new Map<string, unknown>();

/** Native codecs are loaded when the first batch needs them; undefined where they are not installed, or have no build for this platform. */
function native<T>(name: 'lz4-napi' | 'snappy'): T | undefined {
  if (!loaded.has(name)) {
    try {
      loaded.set(name, requirePackage({ what: name, packages: [name] }, name));
    } catch {
      loaded.set(name, undefined);
    }
  }
  return loaded.get(name) as T | undefined;
}

/** By the number that a batch has for its codec. */
const names: readonly CompressionCodec[] = ['none', 'gzip', 'snappy', 'lz4', 'zstd'];

/** Bytes that the records of one batch may take uncompressed. Producers make batches of some MiB at most; more is a mistake, or meant to exhaust the reader. */
const largestBatch = 256 * 2 ** 20;

/**
 * The records of a batch, uncompressed.
 *
 * @param id - The number of the codec in the batch, not 0.
 * @param limit - Bytes that they may take.
 * @throws UnsupportedData for a codec that this process cannot read, and for more bytes than the limit; Error for bytes that are damaged.
 */
export function decompress(id: number, bytes: Buffer, limit: number = largestBatch): Buffer {
  try {
    return uncompress(id, bytes, limit);
  } catch (error) {
    if (error instanceof UnsupportedData) throw error;
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(limit);
    throw new Error(`cannot be uncompressed as ${names[id]}: ${messageOf(error)}`);
  }
}

function uncompress(id: number, bytes: Buffer, limit: number): Buffer {
  switch (id) {
    case 1:
      return zlib.gunzipSync(bytes, { maxOutputLength: limit });
    case 2: {
      const snappy = native<Snappy>('snappy') ?? unreadable('snappy');
      return uncompressXerial(bytes, limit, (block) => snappy.uncompressSync(block));
    }
    case 3: {
      const lz4 = native<Lz4>('lz4-napi') ?? unreadable('lz4');
      if (mostInLz4Frame(bytes) > limit) throw tooLarge(limit);
      return lz4.decompressFrameSync(bytes);
    }
    case 4:
      return uncompressZstd(bytes, limit);
    default:
      throw new UnsupportedData(
        `is compressed with codec ${id}, which this version does not know. Let the producers write another (compression.type), or take a newer version`,
      );
  }
}

function unreadable(codec: 'lz4' | 'snappy'): never {
  throw new UnsupportedData(
    `is compressed with ${codec}: ${noPackage(codec)}, or let the producers and the topic take another compression.type`,
  );
}

function noPackage(codec: 'lz4' | 'snappy'): string {
  const name = codec === 'lz4' ? 'lz4-napi' : codec;
  return `${name} is not installed, or has no build for ${process.platform} ${process.arch}. Install it on this platform (${installLine([name])})`;
}

/** What compresses with a codec; undefined where this process cannot. */
function compressorOf(codec: Exclude<CompressionCodec, 'none'>): ((bytes: Buffer) => Buffer) | undefined {
  switch (codec) {
    case 'gzip':
      return zlib.gzipSync;
    case 'snappy': {
      const snappy = native<Snappy>('snappy');
      return snappy && ((bytes) => xerial(bytes, (block) => snappy.compressSync(block)));
    }
    case 'lz4':
      return native<Lz4>('lz4-napi')?.compressFrameSync;
    case 'zstd':
      return (zlib as { zstdCompressSync?: (bytes: Buffer) => Buffer }).zstdCompressSync;
  }
}

/**
 * Whether this process can write with a codec; to be asked before anything is written.
 *
 * @throws StreamsError `STREAMS_CONFIG` where it cannot: lz4 and snappy are packages that are installed beside, zstd comes with Node from 22.15 on.
 */
export function checkCodec(codec: CompressionCodec): void {
  if (codec !== 'none' && compressorOf(codec) === undefined) throw notWritten(codec);
}

function notWritten(codec: CompressionCodec): StreamsError {
  const why =
    codec === 'lz4' || codec === 'snappy'
      ? noPackage(codec)
      : `Node ${process.versions.node} reads zstd and does not write it. Run Node 22.15 or later`;
  return new StreamsError(
    'STREAMS_CONFIG',
    `compression.type is ${codec}: ${why}, or set compression.type to gzip or none.`,
  );
}

/**
 * The number of a codec, and bytes compressed with it.
 * @throws StreamsError `STREAMS_CONFIG` where this process cannot write with it.
 */
export function compress(codec: Exclude<CompressionCodec, 'none'>, bytes: Buffer): { id: number; bytes: Buffer } {
  const compressor = compressorOf(codec);
  if (compressor === undefined) throw notWritten(codec);
  return { id: names.indexOf(codec), bytes: compressor(bytes) };
}
