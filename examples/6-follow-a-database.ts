// A table that follows a table of a database live, from the change events of Debezium: a snapshot (op "r"), then changes, a deletion with its tombstone.
//
//     node --import tsx examples/6-follow-a-database.ts

import { Serdes, StreamsBuilder } from '../src/index.ts';
import { TopologyTestDriver } from '../src/testing.ts';

interface Customer {
  readonly id: number;
  readonly city: string;
}

interface CustomerKey {
  readonly id: number;
}

// What a connector wrote, key and value, after a table of three customers was read and changed.
const recorded: readonly (readonly [key: string, value: string | null])[] = [
  [
    '{"id":1}',
    '{"before":null,"after":{"id":1,"city":"Lyon"},"source":{"table":"customers","snapshot":"true"},"op":"r"}',
  ],
  [
    '{"id":2}',
    '{"before":null,"after":{"id":2,"city":"Lyon"},"source":{"table":"customers","snapshot":"last"},"op":"r"}',
  ],
  [
    '{"id":3}',
    '{"before":null,"after":{"id":3,"city":"Nice"},"source":{"table":"customers","snapshot":"false"},"op":"c"}',
  ],
  [
    '{"id":2}',
    '{"before":{"id":2,"city":"Lyon"},"after":{"id":2,"city":"Nice"},"source":{"table":"customers"},"op":"u"}',
  ],
  ['{"id":1}', '{"before":{"id":1,"city":"Lyon"},"after":null,"source":{"table":"customers"},"op":"d"}'],
  ['{"id":1}', null],
];

const builder = new StreamsBuilder();
builder
  .table('shop.public.customers', {
    name: 'customers',
    keySerde: Serdes.debeziumKey<CustomerKey>(),
    valueSerde: Serdes.debezium<Customer>(),
  })
  .groupBy((_key, { city }) => [city, city], { name: 'by-city', keySerde: Serdes.string, valueSerde: Serdes.string })
  .count({ name: 'per-city' });

const driver = await TopologyTestDriver.create(builder.build());
const customers = driver.inputTopic<CustomerKey, Customer | undefined>('shop.public.customers');
const keys = Serdes.debeziumKey<CustomerKey>();
const values = Serdes.debezium<Customer>();
for (const [key, value] of recorded) {
  const row = value === null ? undefined : values.deserialize(Buffer.from(value));
  await customers.pipeInput(keys.deserialize(Buffer.from(key)), row, 0);
}
for (const { key, value } of await driver.rows<string, number>('per-city')) console.log(`${key}: ${value}`);
