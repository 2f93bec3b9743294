import test from 'ava';
import { csvFormat } from '../../src/files/csv-format.ts';
import { MessageFormat, type MessageFormatOptions, type RowMessage } from '../../src/files/message-format.ts';
import { BadRow } from '../../src/files/row-format.ts';
import { bytesSerde, jsonSerde, stringSerde } from '../../src/serde/serdes.ts';

interface Value {
  readonly at: number;
}

const inner = csvFormat({
  columns: ['name', 'at', 'text'],
  key: ({ name }) => name,
  value: ({ at }): Value => {
    if (at === 'bad') throw new BadRow('date', 'bad');
    return { at: Number(at) };
  },
  timestamp: ({ at }) => at,
});

type Given = Partial<MessageFormatOptions<string, Value>>;

function formatOf(options: Given = {}): MessageFormat<string, Value> {
  return new MessageFormat({ format: inner, keySerde: stringSerde, valueSerde: undefined, partitions: 1, ...options });
}

/** A row as the scanner shows it: its fields somewhere in a buffer, in the format's order. */
function decode(format: MessageFormat<string, Value>, fields: readonly string[]): RowMessage | string {
  const parts = fields.map((field) => Buffer.from(field));
  const starts = new Int32Array(parts.length);
  const ends = new Int32Array(parts.length);
  // Not in the order of the fields, and with something between them.
  const pieces: Buffer[] = [];
  let at = 0;
  for (let i = parts.length - 1; i >= 0; i--) {
    pieces.push(Buffer.from('??'), parts[i]!);
    starts[i] = at + 2;
    at = ends[i] = at + 2 + parts[i]!.length;
  }
  const out: { key: Uint8Array | undefined; value: RowMessage } = { key: undefined, value: undefined as never };
  const reason = format.decode({ bytes: Buffer.concat(pieces), starts, ends }, out);
  return reason ?? out.value;
}

const rowOf = (...fields: string[]): string => {
  const message = decode(formatOf(), fields);
  return typeof message === 'string' ? `bad: ${message}` : Buffer.from(message.value).toString();
};

test('a value is the fields in the order of the format, with quotes only where a field needs them', (t) => {
  t.is(rowOf('n', '5', 'plain text'), 'n,5,plain text');
  t.is(rowOf('', '5', ''), ',5,');
  t.is(rowOf('a,b', '5', 'x'), '"a,b",5,x');
  t.is(rowOf('n', '5', 'say "no"'), 'n,5,"say ""no"""');
  t.is(rowOf('n', '5', 'two\nlines\r'), 'n,5,"two\nlines\r"');
  t.is(rowOf('n', '5', 'é, 東'), 'n,5,"é, 東"');
  t.is(rowOf('n', '5', '!#+-*'), 'n,5,!#+-*');
});

test('key, time and partition are those of the row', (t) => {
  const message = decode(formatOf({ partitions: 4 }), ['abc', '7', 'x']) as RowMessage;
  t.is(Buffer.from(message.key!).toString(), 'abc');
  t.is(message.timestamp, 7);
  // murmur2 of "abc" is 479470107 in Kafka's own tests.
  t.is(message.partition, 3);
  t.is(formatOf().timestampOf(message), 7);
});

test('messages stay as they are while others are made', (t) => {
  const format = formatOf();
  const long = 'y'.repeat(100_000);
  const texts = Array.from({ length: 50 }, (_, i) => `${i}${i % 7 === 0 ? long : ''}`);
  const messages = texts.map((text, i) => decode(format, [`n${i}`, '1', text]) as RowMessage);
  for (const [i, { key, value }] of messages.entries()) {
    t.is(Buffer.from(key!).toString(), `n${i}`);
    t.is(Buffer.from(value).toString(), `n${i},1,${texts[i]}`);
  }
});

test('with a value serde a value is what that writes', (t) => {
  const message = decode(formatOf({ valueSerde: jsonSerde<Value>() }), ['n', '7', 'x']) as RowMessage;
  t.is(Buffer.from(message.value).toString(), '{"at":7}');
});

test('a key serde that writes nothing in place is asked for bytes, and long keys too', (t) => {
  const keySerde = { ...bytesSerde, serialize: (key: unknown) => Buffer.from(`<${key}>`) } as never;
  t.is(Buffer.from((decode(formatOf({ keySerde }), ['n', '7', 'x']) as RowMessage).key!).toString(), '<n>');
  const long = 'k'.repeat(1000);
  t.is(Buffer.from((decode(formatOf(), [long, '7', 'x']) as RowMessage).key!).toString(), long);
  t.is(Buffer.from((decode(formatOf(), ['é', '7', 'x']) as RowMessage).key!).toString(), 'é');
});

test('a row that is bad for the format is bad for its reason; one before 1970 or of broken milliseconds too', (t) => {
  t.throws(() => decode(formatOf(), ['n', 'bad', 'x']), { instanceOf: BadRow, message: 'bad' });
  t.is(decode(formatOf(), ['n', '-1', 'x']), 'invalid_timestamp');
  t.is(decode(formatOf(), ['n', '1.5', 'x']), 'invalid_timestamp');
  t.is(typeof decode(formatOf(), ['n', '0', 'x']), 'object');
});

test('a row that its topic would not take is too long', (t) => {
  const format = formatOf({ maxMessageBytes: 1000 });
  t.is(decode(format, ['n', '1', 'y'.repeat(990)]), 'too-long');
  t.is(typeof decode(format, ['n', '1', 'y'.repeat(800)]), 'object');
});
