import type { Broker } from '../clients/broker.ts';
import type { Config } from '../config/config.ts';
import type { Topology } from '../topology/topology.ts';
import { alterTopic, type Check, failed, ok, warning } from './doctor-check.ts';
import { durationText } from './progress-text.ts';
import { sinkTopics } from './reset-broker.ts';
import { keptBytes, keptMs, type TopicFacts, topicFacts } from './topic-facts.ts';

/** Whether the topics from outside are there, and lose nothing. */
export async function topicChecks(
  broker: Broker,
  topology: Topology,
  config: Config,
  letters: readonly string[],
): Promise<readonly Check[]> {
  const inputs = topology.sourceTopics;
  const tables = topology.globalTables.map(({ topic }) => topic);
  const results = sinkTopics(topology);
  const facts = await topicFacts(broker, [...new Set([...inputs, ...tables, ...results, ...letters])]);
  return [
    ...inputs.flatMap((topic) => inputChecks(topic, facts.get(topic), config.get('max.future.ms'), Date.now())),
    ...tables.flatMap((topic) => tableChecks(topic, facts.get(topic))),
    ...results.map((topic) =>
      facts.has(topic)
        ? ok(`topic ${topic}`, `${count(facts.get(topic)!.partitions, 'partition')}, gets results`)
        : failed(`topic ${topic}`, 'does not exist, and the topology writes to it', 'Create it.'),
    ),
    ...letters.map((topic) => letterCheck(topic, facts.get(topic))),
  ];
}

/** What is wrong with a topic that is read. */
export function inputChecks(
  topic: string,
  facts: TopicFacts | undefined,
  maxFutureMs: number,
  nowMs: number,
): readonly Check[] {
  const about = `topic ${topic}`;
  if (facts === undefined)
    return [failed(about, 'does not exist', 'Create it, or name the topic that has the records with --topic.')];
  const { configs, partitions, oldestMs } = facts;
  const checks = [...batchChecks(topic, facts), ...timeChecks(topic, configs, maxFutureMs)];
  const compaction = compactionCheck(topic, configs);
  if (compaction !== undefined) checks.push(compaction);
  const keepsMs = keptMs(configs);
  if (oldestMs !== undefined && nowMs - oldestMs > keepsMs)
    checks.push(
      warning(
        about,
        `retention.ms is ${keepsMs} and it holds records of ${new Date(oldestMs).toISOString()}: the broker deletes by event time, so they may go before they are read`,
        alterTopic(topic, 'retention.ms', '-1'),
      ),
    );
  checks.push(...sizeChecks(topic, configs));
  if (checks.some(({ result }) => result !== 'ok')) return checks;
  const kept = keepsMs === Number.POSITIVE_INFINITY ? 'for ever' : `for ${durationText(keepsMs)}`;
  return [ok(about, `${count(partitions, 'partition')}, keeps records ${kept}`)];
}

/** Whether an input is one of which the latest record of each key is kept alone. */
export function compactionCheck(topic: string, configs: TopicFacts['configs']): Check | undefined {
  const policy = configs['cleanup.policy'] ?? 'delete';
  if (!policy.includes('compact')) return undefined;
  return warning(
    `topic ${topic}`,
    `cleanup.policy is ${policy}: of each key only the latest record is kept, and those that it replaces may go before they are read`,
    alterTopic(topic, 'cleanup.policy', 'delete'),
  );
}

/** Whether the first and last batches of its partitions can be read here: if not, `run` stops at them. */
function batchChecks(topic: string, { unreadable }: TopicFacts): readonly Check[] {
  if (unreadable === undefined) return [];
  // Its message ends with what to do.
  return [{ about: `topic ${topic}`, result: 'failed', text: unreadable.message.replace(/\.$/, '') }];
}

/** Whether the broker deletes what was not read, or is to be kept, by the size of a partition. */
function sizeChecks(topic: string, configs: TopicFacts['configs']): readonly Check[] {
  const bytes = keptBytes(configs);
  if (bytes === Number.POSITIVE_INFINITY) return [];
  return [
    warning(
      `topic ${topic}`,
      `retention.bytes is ${bytes}: the oldest records of a partition that is larger are deleted, whether they were read or not`,
      alterTopic(topic, 'retention.bytes', '-1'),
    ),
  ];
}

function timeChecks(topic: string, configs: Readonly<Record<string, string>>, maxFutureMs: number): readonly Check[] {
  const about = `topic ${topic}`;
  const checks: Check[] = [];
  const type = configs['message.timestamp.type'] ?? 'CreateTime';
  if (type !== 'CreateTime')
    checks.push(
      warning(
        about,
        `message.timestamp.type is ${type}: the broker replaces the time of each record by that of its arrival`,
        alterTopic(topic, 'message.timestamp.type', 'CreateTime'),
      ),
    );
  const forever = '9223372036854775807';
  const before = Number(configs['message.timestamp.before.max.ms'] ?? forever);
  if (before < Number(forever))
    checks.push(
      warning(
        about,
        `message.timestamp.before.max.ms is ${before}: the broker refuses older records`,
        alterTopic(topic, 'message.timestamp.before.max.ms', forever),
      ),
    );
  const after = Number(configs['message.timestamp.after.max.ms'] ?? forever);
  if (after < maxFutureMs)
    checks.push(
      warning(
        about,
        `message.timestamp.after.max.ms is ${after}: the broker refuses records that max.future.ms (${maxFutureMs}) would take`,
        alterTopic(topic, 'message.timestamp.after.max.ms', forever),
      ),
    );
  return checks;
}

/** What is wrong with the topic of a global table. */
export function tableChecks(topic: string, facts: TopicFacts | undefined): readonly Check[] {
  const about = `topic ${topic}`;
  if (facts === undefined)
    return [warning(about, 'does not exist: run makes it, and the table is empty', 'Load it before the first start.')];
  const { configs, records } = facts;
  const checks: Check[] = [...batchChecks(topic, facts)];
  const policy = configs['cleanup.policy'] ?? 'delete';
  if (policy.includes('delete')) {
    const remedy = alterTopic(topic, 'cleanup.policy', 'compact');
    const goBy = [
      ...(keptMs(configs) === Number.POSITIVE_INFINITY ? [] : ['age']),
      ...(keptBytes(configs) === Number.POSITIVE_INFINITY ? [] : ['size']),
    ];
    checks.push(
      goBy.length === 0
        ? warning(about, `cleanup.policy is ${policy}: every version of a row is kept`, remedy)
        : failed(about, `cleanup.policy is ${policy}: rows of the table go by ${goBy.join(' and ')}`, remedy),
    );
  }
  if (records === 0) checks.push(warning(about, 'is empty, and so is the table', 'Load it.'));
  return checks.length > 0 ? checks : [ok(about, 'holds a table, compacted')];
}

function letterCheck(topic: string, facts: TopicFacts | undefined): Check {
  const about = `topic ${topic}`;
  if (facts === undefined) return ok(about, 'does not exist yet: the first start makes it, for letters');
  const keepsMs = keptMs(facts.configs);
  const [bySize] = sizeChecks(topic, facts.configs);
  if (keepsMs === Number.POSITIVE_INFINITY)
    return (
      bySize ?? ok(about, facts.records === 0 ? 'gets letters, and is empty' : `gets letters, ${facts.records} at most`)
    );
  return warning(
    about,
    `retention.ms is ${keepsMs}: letters of old records are deleted soon after they are written`,
    alterTopic(topic, 'retention.ms', '-1'),
  );
}

function count(number: number, word: string): string {
  return `${number} ${word}${number === 1 ? '' : 's'}`;
}
