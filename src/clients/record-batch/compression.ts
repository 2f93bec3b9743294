import { createRequire } from 'node:module';
import * as zlib from 'node:zlib';
import { StreamsError } from '../../common/errors.ts';
import { uncompressXerial, xerial } from './xerial.ts';

/** How the records of a batch are compressed. */
export type CompressionCodec = 'none' | 'gzip' | 'lz4' | 'snappy';

interface Lz4 {
  compressFrameSync(bytes: Buffer): Buffer;
  decompressFrameSync(bytes: Buffer): Buffer;
}

interface Snappy {
  compressSync(bytes: Buffer): Buffer;
  uncompressSync(bytes: Buffer): Buffer;
}

const require = createRequire(import.meta.url);
const loaded = new Map<string, unknown>();

/** Native codecs are loaded when the first batch needs them; undefined where this platform has none. */
function native<T>(name: 'lz4-napi' | 'snappy'): T | undefined {
  if (!loaded.has(name)) {
    try {
      loaded.set(name, require(name));
    } catch {
      loaded.set(name, undefined);
    }
  }
  return loaded.get(name) as T | undefined;
}

const names = ['none', 'gzip', 'snappy', 'lz4', 'zstd'];

/** Kafka's name of a codec, by its number in a batch. */
export function codecName(id: number): string {
  return names[id] ?? `number ${id}`;
}

/** The records of a batch, uncompressed; undefined for a codec that this process cannot read. Throws for bytes that are not what they should be. */
export function decompress(id: number, bytes: Buffer): Buffer | undefined {
  switch (id) {
    case 0:
      return bytes;
    case 1:
      return zlib.gunzipSync(bytes);
    case 2: {
      const snappy = native<Snappy>('snappy');
      return snappy && uncompressXerial(bytes, (block) => snappy.uncompressSync(block));
    }
    case 3:
      return native<Lz4>('lz4-napi')?.decompressFrameSync(bytes);
    case 4: {
      // Node 22.15 and later.
      const { zstdDecompressSync } = zlib as { zstdDecompressSync?: (bytes: Buffer) => Buffer };
      return zstdDecompressSync?.(bytes);
    }
    default:
      return undefined;
  }
}

/**
 * The number of a codec, and bytes compressed with it.
 * @throws StreamsError `STREAMS_CONFIG` where the codec has no build for this platform.
 */
export function compress(codec: Exclude<CompressionCodec, 'none'>, bytes: Buffer): { id: number; bytes: Buffer } {
  if (codec === 'gzip') return { id: 1, bytes: zlib.gzipSync(bytes) };
  if (codec === 'snappy') {
    const snappy = native<Snappy>('snappy');
    if (snappy) return { id: 2, bytes: xerial(bytes, (block) => snappy.compressSync(block)) };
  } else {
    const lz4 = native<Lz4>('lz4-napi');
    if (lz4) return { id: 3, bytes: lz4.compressFrameSync(bytes) };
  }
  throw new StreamsError(
    'STREAMS_CONFIG',
    `Compression "${codec}" has no build for this platform. Take "gzip" or "none".`,
  );
}
