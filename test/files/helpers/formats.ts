import type { DeadReason, RowFormat } from '../../../src/files/row-format.ts';

/** The fields of a row as text, joined to see them at a glance. */
export interface TextValue {
  readonly fields: readonly string[];
}

/** Any row of the right number of columns is good; its first field is the key. */
export function textFormat(columns: readonly string[]): RowFormat<string, TextValue> {
  return {
    columns,
    decode({ bytes, starts, ends }, out) {
      const fields = columns.map((_, i) => Buffer.from(bytes.subarray(starts[i], ends[i])).toString());
      out.key = fields[0]!;
      out.value = { fields };
      return undefined;
    },
    timestampOf: () => 0,
  };
}

/** A row `id,at,text`: id is a whole number (else `id`), at too (else `date`), text is anything. The event time is `at`. */
export interface Reading {
  readonly id: number;
  readonly at: number;
  readonly text: string;
}

/** See {@link Reading}. */
export const readingFormat: RowFormat<string, Reading> = {
  columns: ['id', 'at', 'text'],
  decode({ bytes, starts, ends }, out): DeadReason | undefined {
    const field = (i: number): string => Buffer.from(bytes.subarray(starts[i], ends[i])).toString();
    const [id, at, text] = [field(0), field(1), field(2)];
    if (!/^\d+$/.test(id)) return 'id';
    if (!/^\d+$/.test(at)) return 'date';
    out.key = `id ${id}`;
    out.value = { id: Number(id), at: Number(at), text };
    return undefined;
  },
  timestampOf: ({ at }) => at,
};
