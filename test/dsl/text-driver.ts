import { type KTable, type Produced, type Serde, Serdes, type StreamsBuilder } from '../../src/index.ts';
import { type TestDriverOptions, TopologyTestDriver } from '../../src/testing/topology-test-driver.ts';

/** A value of any type as its text: objects as JSON, windowed keys as `[a@0/10]`. */
export function printed<T>(): Serde<T> {
  return {
    name: 'printed',
    serialize: (value) => Serdes.string.serialize(print(value)),
    deserialize: () => {
      throw new TypeError('printed values are not read back');
    },
  };
}

/** How to write a stream whose records are to be looked at. */
export function shown<K, V>(): Produced<K, V> {
  return { keySerde: printed(), valueSerde: printed() };
}

/** Texts by text. */
export const texts: { readonly keySerde: Serde<string>; readonly valueSerde: Serde<string> } = {
  keySerde: Serdes.string,
  valueSerde: Serdes.string,
};

/** Writes a table's changes to the topic `out`. */
export function tell<K, V>(table: KTable<K, V>, topic = 'out'): void {
  table.toStream().to(topic, shown());
}

/** A driver whose records are texts: `key value @time`, with `-` for none. */
export class TextDriver {
  readonly driver: TopologyTestDriver;

  private constructor(driver: TopologyTestDriver) {
    this.driver = driver;
  }

  static async of(builder: StreamsBuilder, options?: TestDriverOptions): Promise<TextDriver> {
    return new TextDriver(await TopologyTestDriver.create(builder.build(), options));
  }

  /** Pipes records into a topic; returns what came out of all topics: `topic key value @time`. */
  async pipe(topic: string, ...records: readonly string[]): Promise<string[]> {
    for (const record of records) {
      const [, key, value, time] = /^(\S+) (.*) @(\d+)$/.exec(record)!;
      await this.driver.inputTopic(topic).pipeInput(text(key), text(value), Number(time));
    }
    return this.outputs();
  }

  /** Flushes the caches; returns what came out. */
  async flush(): Promise<string[]> {
    await this.driver.flush();
    return this.outputs();
  }

  /** What came out since the last look. */
  outputs(): string[] {
    return this.driver.readAllOutputs().map(({ topic, key, value, timestamp }) => {
      const shownBytes = (bytes: Uint8Array | undefined): string =>
        bytes === undefined ? '-' : Buffer.from(bytes).toString();
      return `${topic} ${shownBytes(key)} ${shownBytes(value)} @${timestamp}`;
    });
  }

  /** A store's rows: `key value @time`, by window and key. */
  async rows(store: string): Promise<string[]> {
    const rows = await this.driver.rows(store);
    return rows.map(({ key, value, timestamp }) => `${print(key)} ${print(value)} @${timestamp}`);
  }
}

function print(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value);
  return Object.hasOwn(value, 'startMs') ? String(value) : JSON.stringify(value);
}

function text(shownText: string | undefined): string | undefined {
  return shownText === '-' ? undefined : shownText;
}
