import type { Broker, PartitionOffset } from '../clients/broker.ts';
import type { Topology } from '../topology/topology.ts';
import { alterTopic, type Check, warning } from './doctor-check.ts';
import { sinkTopics } from './reset-broker.ts';
import { keptMs, readAt } from './topic-facts.ts';

/**
 * Topics that lose what is written to them: the broker deletes by event time, and refuses by it, and the records that are processed next are older than that.
 *
 * @param letters - Topics of dead and late letters.
 */
export async function retentionChecks(
  broker: Broker,
  topology: Topology,
  applicationId: string,
  letters: readonly string[],
): Promise<readonly Check[]> {
  const { admin } = broker;
  const counts = await admin.partitionCounts([...sinkTopics(topology), ...letters]);
  const configs = await admin.topicConfigs([...counts.keys()]);
  const bounded = [...configs].filter(([, own]) => Number.isFinite(bound(own)));
  if (bounded.length === 0) return [];
  const nextMs = await nextRecordMs(broker, topology.sourceTopics, applicationId);
  if (nextMs === undefined) return [];
  return bounded.flatMap(([topic, own]) => checkOf(topic, own, nextMs, Date.now() - nextMs));
}

function checkOf(
  topic: string,
  configs: Readonly<Record<string, string>>,
  nextMs: number,
  ageMs: number,
): readonly Check[] {
  const next = `the records that are processed next are of ${new Date(nextMs).toISOString()}`;
  const about = `topic ${topic}`;
  const type = configs['message.timestamp.type'] ?? 'CreateTime';
  const checks: Check[] = [];
  if (ageMs > keptMs(configs))
    checks.push(
      warning(
        about,
        `retention.ms is ${configs['retention.ms']} with message.timestamp.type ${type}, and ${next}: the broker deletes by event time, so what is written is gone within minutes`,
        alterTopic(topic, 'retention.ms', '-1'),
      ),
    );
  if (ageMs > refusedMs(configs))
    checks.push(
      warning(
        about,
        `message.timestamp.before.max.ms is ${refusedMs(configs)}, and ${next}: the broker refuses what is written`,
        alterTopic(topic, 'message.timestamp.before.max.ms', '9223372036854775807'),
      ),
    );
  return checks;
}

/** Age from which a topic loses or refuses records, ms; Infinity for none. One that sets the times itself has none. */
function bound(configs: Readonly<Record<string, string>>): number {
  if ((configs['message.timestamp.type'] ?? 'CreateTime') !== 'CreateTime') return Number.POSITIVE_INFINITY;
  return Math.min(keptMs(configs), refusedMs(configs));
}

function refusedMs(configs: Readonly<Record<string, string>>): number {
  const text = configs['message.timestamp.before.max.ms'];
  return text === undefined || text === '9223372036854775807' ? Number.POSITIVE_INFINITY : Number(text);
}

/** Least time of what the application takes next from each partition, or of its last record where all is processed; undefined where there is nothing. */
async function nextRecordMs(
  broker: Broker,
  topics: readonly string[],
  applicationId: string,
): Promise<number | undefined> {
  const { admin } = broker;
  let leastMs = Number.POSITIVE_INFINITY;
  for (const [topic, count] of await admin.partitionCounts(topics)) {
    const all = Array.from({ length: count }, (_, partition) => ({ topic, partition }));
    const [starts, ends] = [await admin.offsets(all, 'earliest'), await admin.offsets(all, 'stable')];
    const committed = await admin.committed(applicationId, all);
    const positions: PartitionOffset[] = all.flatMap((each, i) => {
      const [start, end] = [starts[i]!, ends[i]!];
      if (start >= end) return [];
      return [{ ...each, offset: Math.min(end - 1, Math.max(start, committed[i]?.offset ?? start)) }];
    });
    leastMs = Math.min(leastMs, (await readAt(broker, positions)).oldestMs ?? Number.POSITIVE_INFINITY);
  }
  return Number.isFinite(leastMs) ? leastMs : undefined;
}
