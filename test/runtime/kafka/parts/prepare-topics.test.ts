import test from 'ava';
import type { TopicSpec } from '../../../../src/clients/broker.ts';
import { MemoryCluster } from '../../../../src/clients/memory/memory-broker.ts';
import { type Logger, silentLogger } from '../../../../src/common/logger.ts';
import { prepareTopics } from '../../../../src/runtime/kafka/prepare-topics.ts';

const longest = '9223372036854775807';
const anyTime = {
  'message.timestamp.type': 'CreateTime',
  'message.timestamp.after.max.ms': longest,
  'message.timestamp.before.max.ms': longest,
};
const changelog: TopicSpec = {
  topic: 'app-rows-changelog',
  partitions: 2,
  replicationFactor: -1,
  configs: { 'cleanup.policy': 'compact', 'retention.ms': '-1', ...anyTime },
};
const windowed: TopicSpec = {
  ...changelog,
  topic: 'app-windows-changelog',
  configs: { 'cleanup.policy': 'compact,delete', 'retention.ms': '1000', ...anyTime },
};
const repartition: TopicSpec = {
  ...changelog,
  topic: 'app-by-repartition',
  configs: { 'cleanup.policy': 'delete', 'retention.ms': '-1', ...anyTime },
};

/** What happens where a topic exists with other configurations. */
async function prepared(
  spec: TopicSpec,
  configs: Readonly<Record<string, string>>,
  partitions = spec.partitions,
): Promise<string> {
  const cluster = new MemoryCluster();
  cluster.createTopic(spec.topic, partitions, { ...spec.configs, ...configs });
  const broker = cluster.connect();
  try {
    await prepareTopics(broker.admin, [spec], silentLogger);
    return 'accepted';
  } catch (error) {
    const { code, message } = error as Error & { code: string };
    return `${code}: ${message}`;
  } finally {
    await broker.close();
  }
}

test('missing topics are created as they should be, those that are there are left', async (t) => {
  const cluster = new MemoryCluster();
  cluster.createTopic(changelog.topic, 2, changelog.configs);
  cluster.write(changelog.topic, 1, [{ key: 'a', value: '1' }]);
  const { admin } = cluster.connect();
  const told: unknown[] = [];
  const logger: Logger = { ...silentLogger, info: (...line: unknown[]) => void told.push(line) };
  await prepareTopics(admin, [changelog, windowed], logger);
  t.deepEqual([...(await admin.partitionCounts([changelog.topic, windowed.topic])).values()], [2, 2]);
  const configs = (await admin.topicConfigs([windowed.topic])).get(windowed.topic)!;
  for (const [name, value] of Object.entries(windowed.configs)) t.is(configs[name], value);
  t.is(cluster.read(changelog.topic, 1).length, 1);
  t.is(told.length, 1);
  t.regex(JSON.stringify(told), /app-windows-changelog/);
  await prepareTopics(admin, [changelog, windowed], logger);
  t.is(told.length, 1);
});

test('another number of partitions is refused, with the way out', async (t) => {
  const refused = await prepared(changelog, {}, 3);
  t.regex(refused, /^STREAMS_INTERNAL_TOPIC: .*app-rows-changelog has 3 partitions, .* needs 2: .*Run weir reset/);
});

test('a policy by which rows would be deleted, or kept for ever, is refused, with the command that sets it', async (t) => {
  t.regex(
    await prepared(changelog, { 'cleanup.policy': 'delete' }),
    /^STREAMS_INTERNAL_TOPIC: .*cleanup\.policy=delete.*--alter --topic app-rows-changelog --add-config cleanup\.policy=compact$/,
  );
  t.regex(await prepared(changelog, { 'cleanup.policy': 'compact,delete' }), /STREAMS_INTERNAL_TOPIC/);
  // A list needs brackets, or the tool takes its second item for a setting of its own.
  t.regex(
    await prepared(windowed, { 'cleanup.policy': 'compact' }),
    /--add-config cleanup\.policy=\[compact,delete\]$/,
  );
  t.is(await prepared(windowed, { 'cleanup.policy': 'delete, compact' }), 'accepted');
});

test('a retention by which rows would go too early is refused', async (t) => {
  t.regex(await prepared(windowed, { 'retention.ms': '999' }), /retention\.ms=999.*--add-config retention\.ms=1000$/);
  t.regex(await prepared(repartition, { 'retention.ms': '604800000' }), /--add-config retention\.ms=-1$/);
  t.is(await prepared(windowed, { 'retention.ms': '1001' }), 'accepted');
  t.is(await prepared(windowed, { 'retention.ms': '-1' }), 'accepted');
  // Where nothing is deleted by age it says nothing.
  t.is(await prepared(changelog, { 'retention.ms': '5' }), 'accepted');
});

test('times that the broker sets or bounds are refused', async (t) => {
  t.regex(
    await prepared(changelog, { 'message.timestamp.type': 'LogAppendTime' }),
    /STREAMS_INTERNAL_TOPIC.*message\.timestamp\.type=LogAppendTime.*=CreateTime$/,
  );
  for (const name of ['message.timestamp.after.max.ms', 'message.timestamp.before.max.ms'])
    t.regex(await prepared(changelog, { [name]: '3600000' }), new RegExp(`${name}=3600000.*${name}=${longest}$`));
});
