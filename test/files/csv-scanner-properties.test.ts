import test from 'ava';
import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import type { FileDialect } from '../../src/files/file-dialect.ts';
import type { RowFormat } from '../../src/files/row-format.ts';
import { readingFormat, type TextValue, textFormat } from './helpers/formats.ts';
import { check } from './helpers/properties.ts';
import { scan } from './helpers/scan.ts';

/** Rows that are known by a first field like `#7`: no line inside a quoted field can be taken for one. */
function markedFormat(columns: readonly string[]): RowFormat<string, TextValue> {
  const format = textFormat(columns);
  return {
    ...format,
    decode: (row, out) => format.decode(row, out) ?? (/^#\d+$/.test(out.key) ? undefined : 'id'),
  };
}

/** How the tables of a run are written: the plain way, which the fast loop reads, or others. */
const dialects: readonly FileDialect[] = [
  {},
  { separator: ';' },
  { separator: '\t', quote: "'" },
  { separator: '|', quote: '', skipLines: 2 },
  { separator: ';', skipLines: 3 },
];

const text = fc.string({
  unit: fc.constantFrom('a', '1', ' ', ',', ';', '\t', '"', "'", '\n', '\r\n', '\r', 'é', '𝄞', '-'),
  maxLength: 8,
});

const table = fc
  .record({ columns: fc.integer({ min: 1, max: 5 }), extra: fc.integer({ min: 0, max: 2 }) })
  .chain(({ columns, extra }) => {
    const fields = columns + extra;
    return fc.record({
      columns: fc.constant(columns),
      order: fc.shuffledSubarray(
        Array.from({ length: fields }, (_, i) => i),
        { minLength: fields },
      ),
      rows: fc.array(fc.array(text, { minLength: fields, maxLength: fields }), { maxLength: 8 }),
      quoteAll: fc.boolean(),
      lineEnds: fc.array(fc.constantFrom('\n', '\r\n', '\n\n', '\r\n\r\n'), { minLength: 1, maxLength: 4 }),
      bom: fc.boolean(),
      headless: fc.boolean(),
      finalLineEnd: fc.boolean(),
      chunk: fc.integer({ min: 1, max: 64 }),
    });
  });

type Table = typeof table extends fc.Arbitrary<infer T> ? T : never;

const namesOf = ({ order }: Table): string[] => order.map((i) => `column ${i}`);

function contentOf(shape: Table, { separator = ',', quote = '"', skipLines = 0 }: FileDialect): string {
  const { order, rows, quoteAll, lineEnds, bom, headless, finalLineEnd } = shape;
  const special = new RegExp(`[\r\n${quote}\\${separator}]`);
  const quoted = (field: string): string => {
    if (quote === '') return field.replaceAll(/[\r\n|]/g, '');
    return quoteAll || special.test(field) ? quote + field.replaceAll(quote, quote + quote) + quote : field;
  };
  const body = rows.map((row, n) => order.map((i) => (i === 0 ? `#${n}` : row[i]!)));
  const lines = [...(headless ? [] : [namesOf(shape)]), ...body].map((fields) => fields.map(quoted).join(separator));
  const ended = lines.map((line, i) => {
    const last = i === lines.length - 1 && !finalLineEnd && (headless || i > 0);
    return last ? line : line + lineEnds[i % lineEnds.length]!;
  });
  const preamble = ['sep=;\n', '\r\n', `of ${quote} and ${separator}\n`].slice(0, skipLines).join('');
  return (bom ? '\ufeff' : '') + preamble + ended.join('');
}

for (const dialect of dialects) {
  test(`rows of any table are those that csv-parse finds, whatever the chunks: ${JSON.stringify(dialect)}`, async (t) => {
    const { separator = ',', quote = '"', skipLines = 0 } = dialect;
    const property = fc.property(table, (shape) => {
      const columns = Array.from({ length: shape.columns }, (_, i) => `column ${i}`);
      const text = contentOf(shape, dialect);
      const content = Buffer.from(text);
      const records = parse(text.replace(new RegExp(`^\ufeff?([^\n]*\n){${skipLines}}`), ''), {
        bom: true,
        columns: shape.headless ? namesOf(shape) : true,
        skip_empty_lines: true,
        record_delimiter: ['\r\n', '\n'],
        delimiter: separator,
        quote: quote === '' ? null : quote,
        escape: quote === '' ? null : quote,
      }) as Record<string, string>[];
      const plain = Object.keys(dialect).length === 0 && !shape.headless;
      const names = shape.headless ? { names: namesOf(shape) } : {};
      const format = { ...markedFormat(columns), ...(!plain && { dialect: { ...dialect, ...names } }) };
      const { rows, refused } = scan(format, content, { chunk: shape.chunk });
      t.is(refused, undefined);
      t.deepEqual(
        rows.map(({ reason, value }) => reason ?? value!.fields),
        records.map((record) => columns.map((column) => record[column]!)),
      );
      for (const { line, offset, raw } of rows) {
        t.is(content.toString('latin1', offset, offset + raw.length), raw);
        t.is(line, content.toString('latin1', 0, offset).split('\n').length);
      }
    });
    await check(t, property, 600);
  });
}

const field = '(?:"(?:[^"]|"")*"|[^",\\n]*?)';
const record = `${field}(?:,${field})*\\r?`;
const endedRecord = new RegExp(`(${record})\\n`, 'y');
const lastRecord = new RegExp(`(${record})$`, 'y');

/** Fields of a record that is known to be well-formed. */
function split(raw: string): string[] {
  const fields = [...`,${raw}`.matchAll(/,("(?:[^"]|"")*"|[^",]*)/gy)].map((match) => match[1]!);
  return fields.map((one) => (one.startsWith('"') ? one.slice(1, -1).replaceAll('""', '"') : one));
}

function reasonOf(raw: string): string | undefined {
  const fields = split(raw);
  if (fields.length !== 3) return 'columns';
  if (!/^\d+$/.test(fields[0]!)) return 'id';
  return /^\d+$/.test(fields[1]!) ? undefined : 'date';
}

function isRow(line: string): boolean {
  endedRecord.lastIndex = 0;
  const match = endedRecord.exec(`${line}\n`);
  return match !== null && match[0].length === line.length + 1 && reasonOf(line.replace(/\r$/, '')) === undefined;
}

/** The rules once more, on strings with regular expressions: rows as `offset:reason or nothing:raw`, and where the scan ends. */
function model(content: string): { rows: string[]; end: number } {
  const rows: string[] = [];
  let at = content.indexOf('\n') + 1;
  const matchAt = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    const raw = pattern.exec(content)?.[1];
    const stray = raw?.split('\n').slice(1).some(isRow) ?? false;
    return stray ? undefined : raw;
  };
  const push = (raw: string, reason: string | undefined): void => {
    rows.push(`${at}:${reason ?? ''}:${raw}`);
  };
  while (at < content.length) {
    const firstLineEnd = content.indexOf('\n', at);
    const ended = matchAt(endedRecord);
    if (ended !== undefined) {
      const raw = ended.replace(/\r$/, '');
      if (raw !== '') push(raw, reasonOf(raw));
      at += ended.length + 1;
      continue;
    }
    const last = matchAt(lastRecord)?.replace(/\r$/, '');
    if (last !== undefined) {
      if (last === '' || reasonOf(last) !== undefined) break;
      push(last, undefined);
      at += last.length;
      break;
    }
    if (firstLineEnd < 0) break;
    push(content.slice(at, firstLineEnd).replace(/\r$/, ''), 'quote');
    at = firstLineEnd + 1;
  }
  return { rows, end: at };
}

for (const dialect of [undefined, { separator: ';', quote: "'" }])
  test(`any bytes are judged as the rules say, whatever the chunks, and nothing is lost: ${JSON.stringify(dialect)}`, async (t) => {
    const piece = fc.constantFrom(
      '1',
      '2',
      'x',
      ',',
      ',',
      '"',
      '""',
      '\n',
      '\n',
      '\r\n',
      '\r',
      '1,2,',
      '3,4,"',
      '5,6,7\n',
      '",',
    );
    const property = fc.property(
      fc.array(piece, { maxLength: 40 }).map((pieces) => pieces.join('')),
      fc.integer({ min: 1, max: 64 }),
      (body, chunk) => {
        const content = `id,at,text\n${body}`;
        const written = dialect === undefined ? content : content.replaceAll(',', ';').replaceAll('"', "'");
        const { rows, offset } = scan({ ...readingFormat, ...(dialect && { dialect }) }, written, { chunk });
        const expected = model(content);
        const rawOf = (raw: string): string => (dialect ? raw.replaceAll(';', ',').replaceAll("'", '"') : raw);
        t.deepEqual(
          rows.map((row) => `${row.offset}:${row.reason ?? ''}:${rawOf(row.raw)}`),
          expected.rows,
          JSON.stringify(body),
        );
        t.is(offset, expected.end, JSON.stringify(body));
      },
    );
    await check(t, property, 3000);
  });
