import {
  type KeyValueStore,
  type KStream,
  type Processor,
  type ProcessorContext,
  Record,
  Serdes,
  type VersionedKeyValueStore,
} from '../../../src/index.ts';
import { n } from '../values.ts';
import type { Text, Topology, Wiring } from '../wiring.ts';

/** Processors written by hand: section "Processors" of README.md. */
export const processorTopologies: { readonly [name: string]: Topology } = {
  'process-count': (w) => {
    w.builder.addStateStore({ kind: 'key-value', name: 'seen', keySerde: Serdes.string, valueSerde: Serdes.int64 });
    const everyMs = w.number('everyMs');
    w.to(
      'out',
      w.stream('in').process(() => new Counter(everyMs), { name: 'counter', stores: ['seen'] }),
    );
  },
  'process-versions': (w) => {
    w.builder.addStateStore({
      kind: 'versioned',
      name: 'versions',
      keySerde: Serdes.string,
      valueSerde: Serdes.string,
    });
    w.to(
      'out',
      w.stream('in').process(() => new Versions(), { name: 'putter', stores: ['versions'] }),
    );
  },
  'repartition-order': repartitionOrder,
};

type Rec = Record<Text, Text>;

/** Counts records a key, and forwards a tick every `everyMs` of stream time: `TIME:SUM OF ALL COUNTS`. */
class Counter implements Processor<Text, Text, string, string> {
  readonly #everyMs: number;
  #context!: ProcessorContext<string, string>;
  #seen!: KeyValueStore<string, number>;

  constructor(everyMs: number) {
    this.#everyMs = everyMs;
  }

  init(context: ProcessorContext<string, string>): void {
    this.#context = context;
    this.#seen = context.keyValueStore('seen');
    context.schedule(this.#everyMs, 'stream-time', (timeMs) => this.#tick(timeMs));
  }

  process(record: Rec): void {
    const key = record.key ?? 'none';
    const count = (this.#seen.get(key) ?? 0) + 1;
    this.#seen.put(key, count);
    this.#context.forward(record.withKey(key).withValue(String(count)));
  }

  async #tick(timeMs: number): Promise<void> {
    let sum = 0;
    for await (const [, count] of this.#seen.range()) sum += count;
    this.#context.forward(new Record('tick', `${timeMs}:${sum}`, timeMs));
  }
}

/** Puts each value from its record's time on, and forwards the values as of 0, 5, ..., 95, then the latest. */
class Versions implements Processor<Text, Text, string, string> {
  #context!: ProcessorContext<string, string>;
  #versions!: VersionedKeyValueStore<string, string>;

  init(context: ProcessorContext<string, string>): void {
    this.#context = context;
    this.#versions = context.versionedStore('versions');
  }

  process(record: Rec): void {
    const key = record.key!;
    this.#versions.put(key, record.value, record.timestamp);
    const values: string[] = [];
    for (let asOf = 0; asOf < 100; asOf += 5) values.push(this.#versions.get(key, asOf) ?? '-');
    values.push(this.#versions.get(key) ?? '-');
    this.#context.forward(record.withKey(key).withValue(values.join(' ')));
  }
}

/** Three repartition topics read by one sub-topology: which one's head is next. */
function repartitionOrder(w: Wiring): void {
  const spread = w.stream('in').process<string, string>(() => new Spread(), { name: 'spread' });
  const through = (key: string): KStream<string, string> =>
    spread
      .filter((k) => k === key, { name: `only-${key}` })
      .repartition({ name: `r${key}`, partitions: 1, keySerde: Serdes.string, valueSerde: Serdes.string });
  w.to('out', through('1').merge(through('2'), { name: 'both' }).merge(through('3'), { name: 'all' }));
}

/** A value `1+5 2+0` becomes a record of key 1, 5 ms after its own time, and one of key 2 at its time. */
class Spread implements Processor<Text, Text, string, string> {
  #context!: ProcessorContext<string, string>;

  init(context: ProcessorContext<string, string>): void {
    this.#context = context;
  }

  process(record: Rec): void {
    for (const item of record.value!.split(' '))
      this.#context.forward(new Record(item.slice(0, 1), item, record.timestamp + n(item.slice(2))));
  }
}
