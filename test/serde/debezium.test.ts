import test from 'ava';
import { Serdes } from '../../src/index.ts';

const rows = Serdes.debezium<{ readonly id: number }>();
const read = (text: string): unknown => rows.deserialize(Buffer.from(text));

test('creates, updates and snapshot reads are rows, with a schema or without; a deletion is none', (t) => {
  for (const op of ['c', 'u', 'r']) t.deepEqual(read(`{"before":null,"after":{"id":7},"op":"${op}"}`), { id: 7 });
  t.deepEqual(read('{"schema":{},"payload":{"before":null,"after":{"id":7},"op":"c","ts_ms":1}}'), { id: 7 });
  t.is(read('{"before":{"id":7},"after":null,"op":"d"}'), undefined);
  t.deepEqual(rows.deserialize(rows.serialize({ id: 7 })), { id: 7 });
});

test('what is not an envelope of a row is refused', (t) => {
  for (const text of ['{"id":7}', '{"op":"t"}', '{"op":"c","after":null}', '[]', '7'])
    t.throws(() => read(text), { message: /is not a Debezium envelope/ });
});

test('keys are objects, with a schema or without', (t) => {
  const keys = Serdes.debeziumKey<{ readonly id: number }>();
  for (const text of ['{"id":7}', '{"schema":{},"payload":{"id":7}}'])
    t.deepEqual(keys.deserialize(Buffer.from(text)), { id: 7 });
  t.throws(() => keys.deserialize(Buffer.from('7')));
});
