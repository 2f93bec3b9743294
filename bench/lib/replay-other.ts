/** A process of bench/replay: `replay-other.ts EVENTS PARK STATE` replays files through the topology of bench/topologies. */
import { join } from 'node:path';
import { feedPrefix } from '../../src/files/file-ledger.ts';
import { FolderFeed } from '../../src/files/folder-feed.ts';
import { Letters } from '../../src/files/letters.ts';
import { EmbeddedStreams, type ReadOnlyStore } from '../../src/index.ts';
import { eventFormat } from '../../topologies/grid/events/event-format.ts';
import { eventSerde } from '../../topologies/grid/events/event-serde.ts';
import { loadPark } from '../../topologies/grid/park/load-park.ts';
import { parkHistories } from '../../topologies/grid/park/park-history.ts';
import { placeSerde } from '../../topologies/grid/park/place.ts';
import { peaksStore, reportsTopic, sitesTable, substationPeak } from '../topologies/substation-peak.ts';
import { tellParent } from './tell-parent.ts';

/** Told before anything is opened: how long the process took to load its TypeScript. */
export interface Loaded {
  readonly loadSeconds: number;
}

tellParent({ loadSeconds: process.uptime() } satisfies Loaded);

const [events, park, state] = process.argv.slice(2);
if (events === undefined || park === undefined || state === undefined) throw new TypeError('give EVENTS PARK STATE');
const zone = 'Europe/Paris';
const topology = substationPeak(eventSerde(zone), placeSerde);
const streams = await EmbeddedStreams.open(topology, { stateDir: state });
await streams.loadGlobalTable(sitesTable, parkHistories(await loadPark(park, { manufacturers: false }), zone));
const [dead, late] = await Promise.all(
  ['dead', 'late'].map((name) => Letters.open(join(state, `${name}.jsonl`), { state: state })),
);
const feed = new FolderFeed({
  topic: reportsTopic,
  directory: events,
  format: eventFormat(zone),
  dead: dead!,
  late: late!,
  keyPrefix: feedPrefix(reportsTopic),
});
await streams.run([feed]);
const rows = await countRows(streams.store(peaksStore));
await streams.close();
await Promise.all([dead!.close(), late!.close()]);
process.stdout.write(`${rows} rows\n`);

async function countRows(store: ReadOnlyStore): Promise<number> {
  if (store.kind !== 'window') throw new TypeError(`${store.name} is not a window store`);
  let count = 0;
  for await (const _row of store.fetchAll(0, Number.MAX_SAFE_INTEGER)) count++;
  return count;
}
