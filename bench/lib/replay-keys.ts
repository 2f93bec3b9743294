/** A process of bench/keys: `replay-keys.ts EVENTS PARK STATE CACHE-BYTES` replays files through the grid's topology and tells each second how far it is. */
import { join } from 'node:path';
import { feedPrefix } from '../../src/files/file-ledger.ts';
import { FolderFeed } from '../../src/files/folder-feed.ts';
import { Letters } from '../../src/files/letters.ts';
import { EmbeddedStreams } from '../../src/index.ts';
import { eventFormat } from '../../topologies/grid/events/event-format.ts';
import { loadPark } from '../../topologies/grid/park/load-park.ts';
import { parkHistories } from '../../topologies/grid/park/park-history.ts';
import { eventsTopic, gridTopology, parkTable } from '../../topologies/grid/topology.ts';
import { mappedBytes } from './mapped-bytes.ts';
import { tellParent } from './tell-parent.ts';

/** How far a replay is. */
export interface Sample {
  readonly phase: 'park' | 'events';
  /** Since the start of the process. */
  readonly seconds: number;
  readonly rows: number;
  readonly rssBytes: number;
  /** Of these, pages of files that are mapped: LevelDB maps its tables. The system takes them back when it needs memory. 0 where it does not tell. */
  readonly mappedBytes: number;
  readonly commits: number;
  readonly commitSeconds: number;
  readonly committedRows: number;
}

const [events, park, state, cacheBytes] = process.argv.slice(2);
if (events === undefined || park === undefined || state === undefined) throw new TypeError('give EVENTS PARK STATE');
const zone = 'Europe/Paris';
// A commit writes pages of many keys: with a million keys, one a second would write each page anew for a few rows.
const options = { stateDir: state, statestoreCacheMaxBytes: Number(cacheBytes), commitIntervalMs: 60_000 };
const streams = await EmbeddedStreams.open(gridTopology({ zone, graceMs: 86_400_000 }), options);
let phase: Sample['phase'] = 'park';
const timer = setInterval(sample, 1000);
await streams.loadGlobalTable(parkTable, parkHistories(await loadPark(park, { manufacturers: false }), zone));
sample();
phase = 'events';
const [dead, late] = await Promise.all(
  ['dead', 'late'].map((name) => Letters.open(join(state, `${name}.jsonl`), { state: state })),
);
const feed = new FolderFeed({
  topic: eventsTopic,
  directory: events,
  format: eventFormat(zone),
  dead: dead!,
  late: late!,
  keyPrefix: feedPrefix(eventsTopic),
});
sample();
await streams.run([feed]);
sample();
clearInterval(timer);
await streams.close();
await Promise.all([dead!.close(), late!.close()]);

function sample(): void {
  const { feeds, commits, commitDurations, committedRows } = streams.stats();
  const commitSeconds = commitDurations.sum;
  const rows = feeds[0]?.rows ?? 0;
  const seconds = process.uptime();
  const memory = { rssBytes: process.memoryUsage.rss(), mappedBytes: mappedBytes() };
  tellParent({ phase, seconds, rows, ...memory, commits, commitSeconds, committedRows } satisfies Sample);
}
