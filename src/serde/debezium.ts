import { fromUtf8Strict, utf8 } from '../common/bytes.ts';
import { shown } from '../common/shown.ts';
import { jsonSerde } from './json-serde.ts';
import type { Serde } from './serde.ts';

/** What an envelope says has happened: created, updated, read by a snapshot, deleted. */
const rowOps: ReadonlySet<unknown> = new Set(['c', 'u', 'r']);

/**
 * Rows of a database table out of Debezium's JSON envelopes, with or without their schema, so that `table` and `globalTable` follow the table live.
 *
 * `{"before":null,"after":{"id":7,"name":"Lyon"},"op":"c"}` and the same with `op` `u` (update) and `r` (read by a snapshot) are the row `{ id: 7, name: 'Lyon' }`; `op` `d` is undefined, which
 * deletes the key's row in a table, as does the tombstone that follows it. What a table keeps is an envelope again, of `op` `r` and without schema.
 *
 * Deserializing throws for what is not an envelope (such as rows flattened by `ExtractNewRecordState`, which {@link jsonSerde} reads) and for `op` `t` and `m`, which are about no row.
 */
export function debeziumSerde<V>(): Serde<V> {
  const rows = jsonSerde<V>();
  return {
    name: 'debezium',
    serialize: (row) => utf8(`{"before":null,"after":${fromUtf8Strict(rows.serialize(row))},"op":"r"}`),
    deserialize(bytes) {
      const envelope = payloadOf(bytes);
      const op = envelope?.['op'];
      if (op === 'd') return undefined as V;
      const after = envelope?.['after'];
      if (!rowOps.has(op) || typeof after !== 'object' || after === null)
        throw new Error(
          `${shown(envelope)} is not a Debezium envelope of a row: it needs "op" c, u, r with "after", or d`,
        );
      return after as V;
    },
  };
}

/**
 * Keys of Debezium's topics, such as `{"id":7}`: an object of the columns of the primary key, with or without its schema. Written without one.
 *
 * Where a topic has several partitions let the connector write keys without schema (`key.converter.schemas.enable=false`): a key is looked for where its own bytes belong.
 */
export function debeziumKeySerde<K>(): Serde<K> {
  const keys = jsonSerde<K>('debezium-key');
  return {
    ...keys,
    deserialize(bytes) {
      const key = payloadOf(bytes);
      if (key === undefined)
        throw new Error('it is not a key of Debezium: an object of the columns of the primary key');
      return key as K;
    },
  };
}

/** The object itself, or what stands beside its schema. */
function payloadOf(bytes: Uint8Array): Readonly<Record<string, unknown>> | undefined {
  const message = JSON.parse(fromUtf8Strict(bytes)) as unknown;
  if (!isObject(message)) return undefined;
  const wrapped = 'schema' in message && 'payload' in message && Object.keys(message).length === 2;
  const payload = wrapped ? message['payload'] : message;
  return isObject(payload) ? payload : undefined;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
