/** A process of bench/commit: `commit-rows.ts table|grid ROWS STATE` changes so many rows round by round and tells what a commit of them takes. */
import { EmbeddedStreams, Serdes, StreamsBuilder, type Topology } from '../../src/index.ts';
import type { GridEvent } from '../../topologies/grid/events/grid-event.ts';
import type { Place } from '../../topologies/grid/park/place.ts';
import { eventsTopic, gridTopology, parkTable } from '../../topologies/grid/topology.ts';
import { MemoryFeed } from './memory-feed.ts';
import { shuffled } from './shuffled.ts';
import { tellParent } from './tell-parent.ts';

/** Medians over the rounds. */
export interface CommitFigures {
  readonly commitMs: number;
  /** Rows that a commit writes. */
  readonly writtenRows: number;
}

const dayMs = 86_400_000;
/** Noon in Paris on 2018-01-01, a Monday. */
const noonMs = 1_514_804_400_000;
const metersPerSubstation = 200;
/** A round is one commit: none is due before its end. */
const never = 2 ** 40;
/** As many times the bytes of the changed rows as the cache needs so that it never commits early. */
const cacheShare = 16;
const rowBytes = 240;
/** Rounds before the code is warm, not counted. */
const warmUpRounds = 2;

const [topology, countText, state] = process.argv.slice(2);
const count = Number(countText);
const inRounds = topology === 'grid' ? gridRounds() : tableRounds();
const streams = await EmbeddedStreams.open(inRounds.topology, {
  stateDir: state!,
  commitIntervalMs: never,
  commitIntervalRecords: never,
  statestoreCacheMaxBytes: Math.max(64 * 1024 * 1024, cacheShare * rowBytes * count),
});
if (topology === 'grid') await streams.loadGlobalTable(parkTable, histories());
const rounds: CommitFigures[] = [];
for (let round = 0; round < warmUpRounds + roundsFor(count); round++) {
  const before = streams.stats();
  await streams.run([inRounds.feed(round)]);
  const after = streams.stats();
  if (after.commits !== before.commits + 1) throw new Error(`${after.commits - before.commits} commits in one round`);
  const commitMs = 1000 * (after.commitDurations.sum - before.commitDurations.sum);
  rounds.push({ commitMs, writtenRows: after.committedRows - before.committedRows });
}
await streams.close();
const counted = rounds.slice(warmUpRounds).sort((a, b) => a.commitMs - b.commitMs);
tellParent(counted[Math.floor(counted.length / 2)]!);

/** Small commits are measured more often. */
function roundsFor(rows: number): number {
  return Math.max(3, Math.min(25, Math.round(1_000_000 / rows)));
}

interface Rounds {
  readonly topology: Topology;
  /** The records of a round: each changes another row. */
  feed(round: number): MemoryFeed<string, unknown>;
}

/** Each round changes all rows. */
function tableRounds(): Rounds {
  const builder = new StreamsBuilder();
  builder.table<string, number>('rows', { name: 'rows', keySerde: Serdes.string, valueSerde: Serdes.int64 });
  const record = (i: number, round: number): readonly [string, number] => [`row:${shuffled(i, count)}`, i + round];
  return { topology: builder.build(), feed: (round) => new MemoryFeed('rows', count, round, (i) => record(i, round)) };
}

/** Each round has one event of each meter on a new day: new rows of the day, changed rows of weeks, months and years. */
function gridRounds(): Rounds {
  const feed = (round: number): MemoryFeed<string, GridEvent> => {
    const atMs = noonMs + round * dayMs;
    return new MemoryFeed(eventsTopic, count, atMs, (i) => eventOf(1 + shuffled(i, count), atMs));
  };
  return { topology: gridTopology({ zone: 'Europe/Paris', graceMs: dayMs }), feed };
}

function eventOf(meter: number, atMs: number): readonly [string, GridEvent] {
  const times = { eventId: 20180101120000, occurredAtMs: atMs, arrivedAtMs: atMs };
  return [`C:${meter}`, { ...times, type: 'ev_C', equipmentType: 'C', equipmentId: meter, info: '' }];
}

/** One place for the meters of each substation. */
function* histories(): Iterable<readonly [string, readonly { validFromMs: number; value: Place }[]]> {
  let value: Place | undefined;
  for (let meter = 1; meter <= count; meter++) {
    const pdk = Math.ceil(meter / metersPerSubstation);
    if (value?.pdk !== String(pdk)) {
      const departement = String(1 + (pdk % 95)).padStart(2, '0');
      const commune = departement + String(pdk % 1000).padStart(3, '0');
      value = { commune, departement, pdk: String(pdk), region: String(pdk % 16) };
    }
    yield [`C:${meter}`, [{ validFromMs: 0, value }]];
  }
}
