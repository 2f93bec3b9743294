import { StreamsError } from '../common/errors.ts';
import { type CommittedPlace, committedTasks } from '../runtime/kafka/committed-tasks.ts';
import { numberedInGroup } from '../runtime/kafka/program-numbers.ts';
import { describedProgram } from '../runtime/kafka/task-program.ts';
import type { Topology } from '../topology/topology.ts';
import type { ReplaySettings } from './application.ts';

/** How windows end the description of a store: the zone of calendar windows, and the grace, ms. */
const windowsOf = /, (?:calendar \S+ (\S+)|time .*) grace (\d+)$/;

/**
 * The settings with which an application runs on Kafka: zone and grace as they are in the windows of the stores that its group has committed. They are kept in the folders of its instances alone, and without them
 * windows would have other days, and be final at another time.
 *
 * @param settings - Taken where nothing is committed that says otherwise.
 * @throws StreamsError `STREAMS_BROKER`
 */
export async function settingsInGroup(
  topologyOf: (settings: ReplaySettings) => Topology,
  settings: ReplaySettings,
  place: CommittedPlace,
): Promise<ReplaySettings> {
  const texts = textsOf(topologyOf(settings));
  for (const [store, text] of await committedTexts(topologyOf(settings), place)) {
    const [, zone = settings.zone, grace] = windowsOf.exec(text) ?? [];
    if (grace === undefined || texts.get(store) === text || !windowsOf.test(texts.get(store) ?? '')) continue;
    const found = { ...settings, zone, graceMs: Number(grace) };
    // Not each window is made of the settings.
    if (textsOf(topologyOf(found)).get(store) === text) return found;
  }
  return settings;
}

function textsOf(topology: Topology): ReadonlyMap<string, string> {
  return new Map([...describedProgram(topology).stores].map(([store, { text }]) => [store, text]));
}

/** The stores as the group's tasks have committed them; none where the program has nothing in common with what they read. */
async function committedTexts(given: Topology, place: CommittedPlace): Promise<ReadonlyMap<string, string>> {
  try {
    const { topology, plan } = await numberedInGroup(given, place);
    const tasks = await committedTasks(topology, plan.tasks, place);
    const stores = tasks.flatMap(({ said }) => Object.entries(said?.program?.stores ?? {}));
    return new Map(stores.map(([store, { text }]) => [store, text]));
  } catch (error) {
    if (StreamsError.is(error) && error.code !== 'STREAMS_BROKER') return new Map();
    throw error;
  }
}
