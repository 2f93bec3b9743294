import {
  type GlobalKTable,
  type Grouped,
  type KStream,
  type KTable,
  type Materialized,
  type Serde,
  Serdes,
  StreamsBuilder,
  Windowed,
  WindowedSerde,
  type Windows,
} from '../../src/index.ts';
import type { ParityScenario } from './load-scenarios.ts';

/** A text, or nothing: what Java calls null. */
export type Text = string | undefined;

const text: Serde<Text> = Serdes.string;

/** Wires one named topology. */
export type Topology = (w: Wiring) => void;

/** What a topology is wired from: sources `source-TOPIC`, sinks `sink-TOPIC`, and the parameters of the scenario. */
export class Wiring {
  readonly builder: StreamsBuilder = new StreamsBuilder();
  /** The serdes of the keys of output topics. */
  readonly outputKeys: Map<string, Serde<unknown>> = new Map();
  /** Topics whose input spells windowed keys as `a@10`, and how they are read. */
  readonly windowedInputs: Map<string, (text: string) => Windowed<string>> = new Map();
  readonly #params: ParityScenario['params'];

  constructor(params: ParityScenario['params']) {
    this.#params = params;
  }

  number(name: string): number {
    return this.#param(name, 'number') as number;
  }

  flag(name: string): boolean {
    return this.#param(name, 'boolean') as boolean;
  }

  text(name: string): string {
    return this.#param(name, 'string') as string;
  }

  stream(topic: string): KStream<Text, Text> {
    return this.builder.stream(topic, { name: `source-${topic}`, keySerde: text, valueSerde: text });
  }

  table(topic: string, store: string): KTable<string, string> {
    return this.builder.table(topic, { name: store, keySerde: Serdes.string, valueSerde: Serdes.string });
  }

  /** A table that keeps no rows: it cannot say what a value was before. */
  unstoredTable(topic: string): KTable<string, string> {
    return this.builder.table(topic, { materialize: false, keySerde: Serdes.string, valueSerde: Serdes.string });
  }

  /** A table of windowed keys, which its topic's input spells as `a@10`: key, start of the window. */
  windowedTable(topic: string, store: string, windows: Windows): KTable<Windowed<string>, string> {
    this.windowedInputs.set(topic, (spelt) => {
      const [key, start] = spelt.split('@') as [string, string];
      return new Windowed(key, Number(start), windows.endOf(Number(start)));
    });
    const keySerde = new WindowedSerde(Serdes.string, windows);
    return this.builder.table(topic, { name: store, keySerde, valueSerde: Serdes.string });
  }

  globalTable(topic: string, store: string): GlobalKTable<string, string> {
    return this.builder.globalTable(topic, { name: store, keySerde: Serdes.string, valueSerde: Serdes.string });
  }

  to<K extends Text, V>(topic: string, stream: KStream<K, V>): void {
    this.#to(topic, stream, text as Serde<K>);
  }

  toWindowed<V>(topic: string, stream: KStream<Windowed<string>, V>, windows: Windows): void {
    this.#to(topic, stream, new WindowedSerde(Serdes.string, windows));
  }

  #to<K, V>(topic: string, stream: KStream<K, V>, keySerde: Serde<K>): void {
    this.outputKeys.set(topic, keySerde as Serde<unknown>);
    stream.to(topic, { name: `sink-${topic}`, keySerde, valueSerde: printed as Serde<V> });
  }

  #param(name: string, type: string): unknown {
    const value = this.#params[name];
    if (typeof value !== type) throw new TypeError(`the scenario's parameter ${name} is no ${type}: ${value}`);
    return value;
  }
}

/** Any value as its text. */
const printed: Serde<unknown> = {
  name: 'printed',
  serialize: (value) => Serdes.string.serialize(String(value)),
  deserialize: (bytes) => Serdes.string.deserialize(bytes),
};

/** A store of texts by text. */
export function texts(name: string): Materialized<string, string> {
  return { name, keySerde: Serdes.string, valueSerde: Serdes.string };
}

/** A store of integers by text. */
export function numbers(name: string): Materialized<string, number> {
  return { name, keySerde: Serdes.string, valueSerde: Serdes.int64 };
}

/** A grouping called `grouped`, of texts by text. */
export const groupedTexts: Grouped<string, string> = {
  name: 'grouped',
  keySerde: Serdes.string,
  valueSerde: Serdes.string,
};
