// A processor written by hand, with a store and a schedule: meters that have said nothing for an hour are reported, once.
//
// The schedule follows stream time, that is the event time of the records: so the reports depend on the input alone, whether it is live or replayed. The store
// survives restarts like that of any table.
//
//     node --import tsx examples/4-processor-with-a-store-and-punctuation.ts

import {
  type KeyValueStore,
  type Processor,
  type ProcessorContext,
  Record,
  Serdes,
  StreamsBuilder,
} from '../src/index.ts';
import { TopologyTestDriver } from '../src/testing.ts';

const minuteMs = 60_000;

class SilenceWatch implements Processor<string, string, string, string> {
  #context!: ProcessorContext<string, string>;
  #lastSeen!: KeyValueStore<string, number>;

  init(context: ProcessorContext<string, string>): void {
    this.#context = context;
    this.#lastSeen = context.keyValueStore('last-seen');
    context.schedule(10 * minuteMs, 'stream-time', (nowMs) => this.#report(nowMs));
  }

  process({ key, timestamp }: Record<string, string>): void {
    this.#lastSeen.put(key, Math.max(timestamp, this.#lastSeen.get(key) ?? 0));
  }

  async #report(nowMs: number): Promise<void> {
    for await (const [meter, seenMs] of this.#lastSeen.range()) {
      if (nowMs - seenMs < 60 * minuteMs) continue;
      this.#lastSeen.delete(meter);
      this.#context.forward(new Record(meter, `silent since minute ${seenMs / minuteMs}`, nowMs));
    }
  }
}

const builder = new StreamsBuilder();
builder.addStateStore({
  name: 'last-seen',
  kind: 'key-value',
  keySerde: Serdes.string,
  valueSerde: Serdes.int64,
});
builder
  .stream('events', { name: 'events', keySerde: Serdes.string, valueSerde: Serdes.string })
  .process(() => new SilenceWatch(), { name: 'silence-watch', stores: ['last-seen'] })
  .to('alerts', { name: 'alerts', keySerde: Serdes.string, valueSerde: Serdes.string });

const driver = await TopologyTestDriver.create(builder.build());
const events = driver.inputTopic<string, string>('events');
const alerts = driver.outputTopic('alerts', Serdes.string, Serdes.string);

for (const [meter, minute] of [
  ['8', 0],
  ['9', 5],
  ['9', 58],
  ['9', 61],
  ['9', 130],
  ['8', 140],
] as const) {
  await events.pipeInput(meter, 'pulse', minute * minuteMs);
  console.log(`minute ${minute}: pulse of meter ${meter}`);
  for (const { key, value, timestamp } of alerts.readAll())
    console.log(`  alert at minute ${timestamp / minuteMs}: meter ${key} ${value}`);
}
await driver.close();
