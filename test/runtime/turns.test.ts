import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { MemoryCluster } from '../../src/clients/memory/memory-broker.ts';
import { EmbeddedStreams, Serdes, StreamsBuilder, type Topology } from '../../src/index.ts';
import { drained, startClient } from './kafka/kit.ts';
import { ListFeed } from './list-feed.ts';

/** Counts how many records are taken at a stretch, while a request, a heartbeat or a timer has to wait. */
class Turns {
  longest = 0;
  #now = 0;
  #next: NodeJS.Immediate;

  constructor(t: ExecutionContext) {
    const turn = (): void => {
      this.longest = Math.max(this.longest, this.#now);
      this.#now = 0;
      this.#next = setImmediate(turn);
    };
    this.#next = setImmediate(turn);
    t.teardown(() => clearImmediate(this.#next));
  }

  /** A record that takes a millisecond: a slow function of a program. */
  slowRecord(): void {
    for (const end = performance.now() + 1; performance.now() < end; );
    this.#now++;
  }
}

function slow(turns: Turns, topics: readonly string[]): Topology {
  const builder = new StreamsBuilder();
  const texts = { keySerde: Serdes.string, valueSerde: Serdes.string };
  builder
    .stream([...topics], texts)
    .peek(() => turns.slowRecord())
    .groupByKey(texts)
    .count({ name: 'counts' });
  return builder.build();
}

/** A turn lasts 20 ms at most, and the clock is looked at each 32 records at first: with a millisecond for each, no more are taken at a stretch. */
const mostAtOnce = 20 + 32;

for (const topics of [['in'], ['in', 'also']]) {
  test(`slow records of ${topics.length} feeds leave everybody else a turn`, async (t) => {
    const turns = new Turns(t);
    const stateDir = await mkdtemp(join(tmpdir(), 'weir-turns-'));
    t.teardown(() => rm(stateDir, { recursive: true, force: true }));
    const streams = await EmbeddedStreams.open(slow(turns, topics), { stateDir, syncWrites: false });
    t.teardown(() => streams.close());
    const records = Array.from({ length: 100 }, (_, i) => ({
      key: 'a',
      value: { timestamp: i, toString: () => 'x' },
      timestamp: i,
    }));
    await streams.run(topics.map((topic) => new ListFeed(topic, records, 100)));
    t.true(turns.longest > 0 && turns.longest <= mostAtOnce, `${turns.longest} at a stretch`);
  });

  test(`slow records of four partitions of ${topics.length} topics leave everybody else a turn`, async (t) => {
    const turns = new Turns(t);
    const cluster = new MemoryCluster();
    for (const topic of topics) {
      cluster.createTopic(topic, 4);
      for (let partition = 0; partition < 4; partition++)
        cluster.write(
          topic,
          partition,
          Array.from({ length: 40 }, (_, i) => ({ key: 'a', value: 'x', timestamp: i })),
        );
    }
    const topology = slow(turns, topics);
    await startClient(t, cluster, topology);
    await drained(cluster, topology);
    t.true(turns.longest > 0 && turns.longest <= mostAtOnce, `${turns.longest} at a stretch`);
  });
}
