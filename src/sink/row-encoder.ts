import type { RowValues } from './sink-rows.ts';

/** Formats of files. */
export const fileFormats = ['csv', 'jsonl', 'parquet'] as const;

/** One of {@link fileFormats}. */
export type FileFormat = (typeof fileFormats)[number];

/**
 * Writes the rows of one file. The bytes of a file depend on its rows and nothing else: an attempt that is made again gives the same ones.
 */
export interface RowEncoder {
  add(row: RowValues): void;
  /** Adds a row that is written already as this format has it: `bytes[start .. end)`, without a line end. Absent where rows are always encoded. */
  readonly copy?: ((bytes: Buffer, start: number, end: number) => void) | undefined;
  /** Bytes so far, those in memory included; an estimate where they are not encoded yet. */
  readonly bytes: number;
  /** Takes the bytes that are ready, or undefined while there are few. The caller owns them. */
  take(): Uint8Array | undefined;
  /** Ends the file and takes the rest. */
  finish(): Uint8Array;
}

/** Makes the encoder of a new file. */
export type EncoderFactory = () => RowEncoder;

/** Bytes that are gathered before they are handed on: 1 MiB. */
export const chunkBytes: number = 1 << 20;
