import type { DeadReason, DecodedRow, RowFormat, RowView } from '../../../../src/files/row-format.ts';

/** Fields as the scanner hands them to a format: byte ranges in one buffer, here with something before, between and after. */
export function rowView(fields: readonly (string | Uint8Array)[]): RowView {
  const parts = fields.map((field) => Buffer.from(field));
  const bytes = Buffer.concat([
    Buffer.from('#'),
    ...parts.flatMap((part) => [part, Buffer.from(',')]),
    Buffer.from('9'),
  ]);
  const starts = new Int32Array(fields.length);
  const ends = new Int32Array(fields.length);
  let at = 1;
  parts.forEach((part, i) => {
    starts[i] = at;
    ends[i] = at + part.length;
    at += part.length + 1;
  });
  return { bytes, starts, ends };
}

/** The decoded row, or why it is refused. */
export function decode<K, V>(
  format: RowFormat<K, V>,
  fields: readonly (string | Uint8Array)[],
): DecodedRow<K, V> | DeadReason {
  const out = {} as DecodedRow<K, V>;
  return format.decode(rowView(fields), out) ?? out;
}
