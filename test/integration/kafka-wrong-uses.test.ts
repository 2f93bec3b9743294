import { mkdtempSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { KafkaPart, newName } from './helpers/kafka-clients.ts';
import { WeirProcess } from './helpers/kafka-process.ts';

const login = 'org.apache.kafka.common.security.plain.PlainLoginModule';
const kafka = await KafkaPart.start({
  throughProxy: false,
  listeners: { LOGIN: 'SASL_PLAINTEXT', ELSEWHERE: 'PLAINTEXT' },
  advertised: { ELSEWHERE: 'no-such-host.invalid' },
  properties: {
    'listener.name.login.sasl.enabled.mechanisms': 'PLAIN',
    'listener.name.login.plain.sasl.jaas.config': `${login} required user_weir="right";`,
    'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
    'super.users': 'User:ANONYMOUS',
  },
});
const folder = mkdtempSync(join(tmpdir(), 'weir-wrong-'));
test.after.always(() => rm(folder, { recursive: true, force: true }));

let topics: Promise<unknown> | undefined;

/** Topics that there are: the events of two partitions, one with other records, and one that is compacted. */
function prepared(): Promise<unknown> {
  topics ??= (async () => {
    const broker = kafka.connect({ bootstrapServers: [kafka.server.bootstrap] });
    const topic = (name: string, partitions: number, configs = {}) => ({
      ...{ topic: name, partitions, replicationFactor: -1, configs },
    });
    await broker.admin.createTopics([
      topic('grid-events', 2),
      topic('others', 1),
      topic('compacted', 1, { 'cleanup.policy': 'compact' }),
    ]);
    const producer = broker.producer({ transactional: false });
    await producer.init();
    for (let i = 0; i < 3; i++)
      producer.append('others', 0, 1_500_000_000_000, Buffer.from('C:1'), Buffer.from('{"meter":1,"kwh":3}'));
    await producer.flush();
  })();
  return topics;
}

interface Use {
  readonly title: string;
  /** Words of the command line; it gets the address of the brokers besides. */
  readonly words: readonly string[];
  readonly at?: () => string;
  readonly password?: string;
  readonly code: number;
  readonly says: RegExp;
}

const withLogin = ['--set', 'security.protocol=sasl_plaintext', '--set', 'sasl.username=weir'];
const atLogin = (): string => kafka.server.address('LOGIN');
const uses: readonly Use[] = [
  {
    title: 'a topic that is mistyped is missing, and the one that is meant is named',
    words: ['run', '--topic', 'grid-event'],
    code: 1,
    says: /^STREAMS_MISSING_SOURCE_TOPIC: topic grid-event does not exist .* with --topic\. Did you mean grid-events\?$/m,
  },
  {
    title: 'records of another kind are in the dead letters, and their topic is named',
    words: ['run', '--topic', 'others', '--application-id', 'kinds', '--until-caught-up'],
    code: 1,
    says: /^STREAMS_BAD_ROW: all 3 records .* The topic kinds-dead-letters says what is wrong with each\.$/m,
  },
  {
    title: 'an input that is compacted is read with a warning',
    words: ['run', '--topic', 'compacted', '--until-caught-up'],
    code: 0,
    says: /topic compacted: cleanup\.policy is compact: of each key only the latest record is kept/,
  },
  {
    title: 'a broker whose advertised address does not resolve',
    words: ['run', '--set', 'task.timeout.ms=2000'],
    at: () => kafka.server.address('ELSEWHERE'),
    code: 1,
    says: /^STREAMS_BROKER: .*no-such-host\.invalid:\d+.*advertised/m,
  },
  {
    title: 'TLS at a listener without it',
    words: ['run', '--set', 'security.protocol=ssl'],
    code: 1,
    says: /^STREAMS_BROKER: .*A listener without TLS does that: security\.protocol is then plaintext/m,
  },
  {
    title: 'a wrong password',
    words: ['run', ...withLogin],
    at: atLogin,
    password: 'wrong',
    code: 1,
    says: /^STREAMS_BROKER: \S+ refuses the login: .* Check sasl\.mechanism, sasl\.username and sasl\.password\.$/m,
  },
  {
    title: 'a user without rights to the topic',
    words: ['run', ...withLogin],
    at: atLogin,
    password: 'right',
    code: 1,
    says: /^STREAMS_BROKER: .*TOPIC_AUTHORIZATION_FAILED: grid-events\. Grant the user the right to do it: docs\/kafka\.md/m,
  },
  {
    title: 'a user without rights to the group',
    words: ['lag', ...withLogin],
    at: atLogin,
    password: 'right',
    code: 1,
    says: /^STREAMS_BROKER: .*GROUP_AUTHORIZATION_FAILED: Group authorization failed\. Grant the user/m,
  },
  {
    title: 'another number of partitions than the topic has',
    words: ['produce', '--events', folder, '--partitions', '4', '--dead', join(folder, 'dead.jsonl')],
    code: 1,
    says: /^STREAMS_PARTITION_MISMATCH: topic grid-events exists with 2 partitions, not 4\. Leave --partitions out/m,
  },
];

for (const { title, words, at, password, code, says } of uses)
  kafka.test(`wrong use: ${title}`, async (t) => {
    await prepared();
    const state = ['--state', await mkdtemp(join(folder, 'state-')), '--port', '0'];
    const own =
      words[0] === 'run'
        ? [...state, ...(words.includes('--application-id') ? [] : ['--application-id', newName('app')])]
        : [];
    const brokers = ['--brokers', at?.() ?? kafka.server.bootstrap];
    const run = new WeirProcess(
      [...words, ...brokers, ...own],
      password === undefined ? {} : { WEIR_SASL_PASSWORD: password },
    );
    t.teardown(() => run.stop());
    t.is(await run.ended(), code, run.stderr);
    t.regex(run.stderr, says);
  });

kafka.test('doctor goes on where a user may not see the topics of the broker itself', async (t) => {
  await prepared();
  const words = ['doctor', ...withLogin, '--brokers', atLogin(), '--json', '--state', join(folder, 'none')];
  const run = new WeirProcess(words, { WEIR_SASL_PASSWORD: 'right' });
  t.teardown(() => run.stop());
  t.is(await run.ended(), 1, run.stderr);
  const { checks } = JSON.parse(run.stdout) as { checks: { about: string; result: string; text: string }[] };
  t.is(checks.find(({ about }) => about === 'cluster')?.result, 'ok', run.stdout);
  t.true(
    checks.some(({ result, text }) => result === 'failed' && /grid-events/.test(text)),
    run.stdout,
  );
});
