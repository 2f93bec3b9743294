import { Serdes, StreamsBuilder, type Topology } from '../../../src/index.ts';

/** Topic of records that are nothing but keys. */
export const keysTopic = 'keys';

/** Records by key: a store of as many rows as there are keys. */
export function countedKeys(): Topology {
  const builder = new StreamsBuilder();
  builder
    .stream<string, Uint8Array>(keysTopic, { name: 'keys', keySerde: Serdes.string, valueSerde: Serdes.bytes })
    .groupByKey()
    .count({ name: 'counted' });
  return builder.build();
}
