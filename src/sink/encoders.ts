import { CsvEncoder } from './csv-encoder.ts';
import { JsonlEncoder } from './jsonl-encoder.ts';
import type { EncoderFactory, FileFormat } from './row-encoder.ts';
import type { SinkColumn } from './sink-rows.ts';

/**
 * Makes the encoders of a format.
 *
 * @param safe - CSV alone: no text field is a formula in a spreadsheet.
 * @throws StreamsError `STREAMS_CONFIG` where a library for the format is not installed.
 */
export async function encodersOf(
  format: FileFormat,
  columns: readonly SinkColumn[],
  safe: boolean,
): Promise<EncoderFactory> {
  if (format === 'csv') return () => new CsvEncoder(columns, safe);
  if (format === 'jsonl') return () => new JsonlEncoder(columns);
  return (await import('./parquet-encoder.ts')).parquetEncoders(columns);
}
