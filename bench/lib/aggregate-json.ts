/** A process of bench/json: `aggregate-json.ts STATE CACHE-BYTES KEYS ROUNDS SIZE` counts records in objects that are JSON of about SIZE bytes. */
import { EmbeddedStreams, Serdes, StreamsBuilder } from '../../src/index.ts';
import { mappedBytes } from './mapped-bytes.ts';
import { MemoryFeed } from './memory-feed.ts';
import { tellParent } from './tell-parent.ts';

interface Counted {
  readonly count: number;
  readonly text: string;
}

const [state, cacheBytes, keys, rounds, size] = process.argv.slice(2) as [string, ...string[]];
const filler = 'x'.repeat(Number(size) - 24);
const builder = new StreamsBuilder();
builder
  .stream('in', { keySerde: Serdes.string, valueSerde: Serdes.int64 })
  .groupByKey()
  .aggregate(
    (): Counted => ({ count: 0, text: '' }),
    // Texts that differ: as large in memory as they look.
    (_key, at, { count }): Counted => ({ count: count + 1, text: `${at}${filler}`.slice(0, filler.length) }),
    { name: 'counted', valueSerde: Serdes.json<Counted>() },
  );
const options = { stateDir: state, statestoreCacheMaxBytes: Number(cacheBytes), commitIntervalMs: 60_000 };
const streams = await EmbeddedStreams.open(builder.build(), options);
const tell = (): void => {
  tellParent({ commits: streams.stats().commits, mappedBytes: mappedBytes() });
};
const timer = setInterval(tell, 500);
// Each key once a round, in no order: 7919 is prime.
const of = Number(keys);
const record = (i: number): readonly [string, number] => [`key-${(i * 7919) % of}`, i];
await streams.run([new MemoryFeed('in', of * Number(rounds), 1, record)]);
tell();
clearInterval(timer);
await streams.close();
