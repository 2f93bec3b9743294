import type { Broker } from '../clients/broker.ts';
import { oldestKafka } from '../clients/kafka/errors.ts';
import type { BrokerProbe } from '../clients/kafka/probe.ts';
import { messageOf, StreamsError } from '../common/errors.ts';
import type { Config } from '../config/config.ts';
import type { CommandContext } from './command-spec.ts';
import { type Check, failed, ok } from './doctor-check.ts';
import { brokerOptions } from './open-broker.ts';

/** How brokers are asked. */
export interface Reach {
  readonly broker: Broker;
  /** Asks one broker alone. @throws StreamsError `STREAMS_BROKER` */
  probe(address: string, nodeId?: number): Promise<BrokerProbe>;
}

/** A call is given up after so long: who looks for a fault does not wait for minutes. */
const callTimeoutMs = 15_000;

/** The brokers that the settings name. @throws StreamsError `STREAMS_CONFIG` for certificates and passwords that cannot be read. */
export async function reachBrokers(context: Pick<CommandContext, 'config' | 'logger'>): Promise<Reach> {
  const options = { ...brokerOptions(context), timeoutMs: callTimeoutMs };
  const [{ openKafkaBroker }, { probeBroker }] = await Promise.all([
    import('../clients/kafka/kafka-broker.ts'),
    import('../clients/kafka/probe.ts'),
  ]);
  return {
    broker: openKafkaBroker(options),
    probe: (address, nodeId) => probeBroker(options, address, nodeId === undefined ? {} : { nodeId }),
  };
}

/** Whether the named addresses answer. One of several may be down. */
export async function addressChecks({ probe }: Reach, servers: readonly string[]): Promise<readonly Check[]> {
  const asked = await Promise.all(servers.map((server) => attempt(() => probe(server))));
  const some = asked.some(({ answer }) => answer !== undefined);
  return servers.map((server, i): Check => {
    const { answer, error } = asked[i]!;
    const about = `address ${server}`;
    if (answer !== undefined) return ok(about, `answers in ${Math.ceil(answer.answeredMs)} ms`);
    return { about, result: some ? 'warning' : 'failed', text: messageOf(error).replace(/\.$/, '') };
  });
}

/** What later checks need to know of the cluster. */
export interface Cluster {
  readonly brokers: number;
  /** Configuration of one of its brokers; undefined where it may not be seen. */
  readonly configs: Readonly<Record<string, string>> | undefined;
}

/** Whether each broker of the cluster can be reached where it says that it is, understands what is asked, and allows what the settings need. */
export async function clusterChecks(
  { broker, probe }: Reach,
  config: Config,
): Promise<{ readonly checks: readonly Check[]; readonly cluster: Cluster }> {
  const { clusterId, brokers } = await broker.admin.describeCluster();
  const checks: Check[] = [
    ok('cluster', `${clusterId ?? 'without id'}, ${brokers.length} ${brokers.length === 1 ? 'broker' : 'brokers'}`),
  ];
  let configs: BrokerProbe['configs'];
  for (const { nodeId, host, port } of brokers) {
    const address = `${host.includes(':') ? `[${host}]` : host}:${port}`;
    const { answer, error } = await attempt(() => probe(address, nodeId));
    checks.push(brokerCheck(`broker ${nodeId}`, address, answer, error));
    configs ??= answer?.configs;
  }
  // Who may not see them may use them all the same: what they have is then not judged.
  const states = await broker.admin.partitionCounts(internalTopics).catch((error: unknown) => {
    if (!isForbidden(error)) throw error;
    return new Map(internalTopics.map((topic) => [topic, 1]));
  });
  const cluster = { brokers: brokers.length, configs };
  return { checks: [...checks, ...limitChecks(config, cluster, new Set(states.keys()))], cluster };
}

const internalTopics: readonly string[] = ['__transaction_state', '__consumer_offsets'];

function isForbidden(error: unknown): boolean {
  const { kafka = '' } = (StreamsError.is(error) ? (error.cause as { readonly kafka?: string } | undefined) : {}) ?? {};
  return kafka.endsWith('_AUTHORIZATION_FAILED');
}

function brokerCheck(about: string, address: string, answer: BrokerProbe | undefined, error: unknown): Check {
  if (answer === undefined)
    return failed(
      about,
      `cannot be reached at the address that it advertises: ${messageOf(error).replace(/\.$/, '')}`,
      'Correct advertised.listeners of the broker, or the way from here to it.',
    );
  if (answer.unspoken.length > 0)
    return failed(
      about,
      `${address} does not understand ${answer.unspoken.join(', ')}`,
      `Take a broker of Kafka ${oldestKafka} or later, and the newest weir-streams.`,
    );
  return ok(about, `${address} understands all requests, as Kafka ${oldestKafka} and later do`);
}

/**
 * What the brokers allow, against the settings.
 *
 * @param states - Those of the brokers' own topics that exist.
 */
export function limitChecks(
  config: Config,
  { brokers, configs }: Cluster,
  states: ReadonlySet<string>,
): readonly Check[] {
  if (configs === undefined)
    return [{ about: 'transactions', result: 'skipped', text: 'the configuration of the brokers cannot be seen' }];
  const limit = (name: string): number => Number(configs[name] ?? Number.NaN);
  const checks: Check[] = [];
  const transactionMs = config.get('transaction.timeout.ms');
  if (transactionMs > limit('transaction.max.timeout.ms'))
    checks.push(
      failed(
        'transactions',
        `transaction.timeout.ms is ${transactionMs}, and the broker allows ${configs['transaction.max.timeout.ms']}`,
        'Set a lower transaction.timeout.ms.',
      ),
    );
  const sessionMs = config.get('session.timeout.ms');
  const [least, most] = [limit('group.min.session.timeout.ms'), limit('group.max.session.timeout.ms')];
  if (sessionMs < least || sessionMs > most)
    checks.push(
      failed(
        'group sessions',
        `session.timeout.ms is ${sessionMs}, and the broker allows ${least} to ${most}`,
        'Set session.timeout.ms to what the broker allows.',
      ),
    );
  for (const [topic, prefix, what] of [
    ['__transaction_state', 'transaction.state.log', 'transactions'],
    ['__consumer_offsets', 'offsets.topic', 'groups'],
  ] as const) {
    const copies = limit(`${prefix}.replication.factor`);
    if (!states.has(topic) && copies > brokers)
      checks.push(
        failed(
          what,
          `the broker is to make ${topic} with ${copies} copies, and there are ${brokers} brokers`,
          `Set ${prefix}.replication.factor of the broker to at most ${brokers}.`,
        ),
      );
  }
  if (!checks.some(({ about }) => about === 'transactions'))
    checks.push(ok('transactions', 'supported; transaction.timeout.ms is within what the broker allows'));
  return checks;
}

interface Attempt {
  readonly answer?: BrokerProbe;
  readonly error?: unknown;
}

async function attempt(ask: () => Promise<BrokerProbe>): Promise<Attempt> {
  try {
    return { answer: await ask() };
  } catch (error) {
    if (!StreamsError.is(error)) throw error;
    return { error };
  }
}
