import type { ApplicationSpec } from './application.ts';
import { applicationIdOf } from './application-id.ts';
import type { CommandContext } from './command-spec.ts';
import { addressChecks, clusterChecks, type Reach, reachBrokers } from './doctor-brokers.ts';
import { type Check, type CheckResult, guarded } from './doctor-check.ts';
import { folderChecks } from './doctor-folder.ts';
import { groupChecks } from './doctor-group.ts';
import { configurationChecks, nodeCheck } from './doctor-host.ts';
import { internalChecks } from './doctor-internal.ts';
import { topicChecks } from './doctor-topics.ts';
import { kafkaTopology } from './kafka-topology.ts';
import { letterTopics } from './letter-settings.ts';
import { paint } from './output.ts';
import { retentionChecks } from './output-retention.ts';

/** What is looked at. */
export interface DoctorRequest {
  readonly topic: string;
  readonly tableTopics: ReadonlyMap<string, string>;
  readonly state: string;
  readonly json: boolean;
}

/** How the brokers of the settings are reached. */
export type OpenReach = (context: Pick<CommandContext, 'config' | 'logger'>) => Promise<Reach>;

/**
 * Looks at all that an application on Kafka needs, one after the other, and prints what it finds. Changes nothing.
 *
 * @param open - Called only if brokers are named. @defaultValue those of the settings
 * @returns the exit code: 1 if a check failed.
 */
export async function doctor(
  spec: ApplicationSpec,
  request: DoctorRequest,
  context: CommandContext,
  open: OpenReach = reachBrokers,
): Promise<0 | 1> {
  const { stdout, color, signal } = context;
  const made: Check[] = [];
  for await (const checks of allChecks(spec, request, context, open)) {
    signal.throwIfAborted();
    made.push(...checks);
    if (!request.json) for (const check of checks) stdout.write(lineOf(check, color));
  }
  const numberOf = (wanted: CheckResult): number => made.filter(({ result }) => result === wanted).length;
  const [warnings, failures] = [numberOf('warning'), numberOf('failed')];
  if (request.json) stdout.write(`${JSON.stringify({ failed: failures, warnings, checks: made })}\n`);
  else
    stdout.write(`${numberOf('ok')} ok, ${warnings} ${warnings === 1 ? 'warning' : 'warnings'}, ${failures} failed\n`);
  return failures > 0 ? 1 : 0;
}

async function* allChecks(
  spec: ApplicationSpec,
  request: DoctorRequest,
  context: CommandContext,
  open: OpenReach,
): AsyncGenerator<readonly Check[]> {
  const { config } = context;
  const applicationId = applicationIdOf(spec, config);
  yield configurationChecks(config, applicationId);
  yield [nodeCheck()];
  yield guarded('state folder', () => folderChecks(request.state, applicationId));
  if (config.get('bootstrap.servers').length === 0) {
    yield [{ about: 'brokers', result: 'skipped', text: 'none is named. Give --brokers host:port' }];
    return;
  }
  let reach: Reach | undefined;
  yield guarded('brokers', async () => {
    reach = await open(context);
    return [];
  });
  if (reach === undefined) return;
  try {
    yield* brokerChecks(spec, request, context, reach);
  } finally {
    await reach.broker.close();
  }
}

async function* brokerChecks(
  spec: ApplicationSpec,
  { topic, tableTopics }: DoctorRequest,
  { config }: CommandContext,
  reach: Reach,
): AsyncGenerator<readonly Check[]> {
  const { broker } = reach;
  const applicationId = applicationIdOf(spec, config);
  const addresses = await addressChecks(reach, config.get('bootstrap.servers'));
  yield addresses;
  if (!addresses.some(({ result }) => result === 'ok')) {
    yield [{ about: 'cluster', result: 'skipped', text: 'no broker answers: topics and group are not looked at' }];
    return;
  }
  let cluster = { brokers: 1 } as Awaited<ReturnType<typeof clusterChecks>>['cluster'];
  yield guarded('cluster', async () => {
    const found = await clusterChecks(reach, config);
    cluster = found.cluster;
    return found.checks;
  });
  const topology = await kafkaTopology(spec, topic, tableTopics);
  const { deadLetterTopic, lateTopic } = letterTopics(spec, config);
  const letters = [deadLetterTopic, lateTopic].filter((name) => name !== '');
  let complete = false;
  yield guarded('topics', async () => {
    const there = await broker.admin.partitionCounts(topology.sourceTopics);
    complete = topology.sourceTopics.every((name) => there.has(name));
    return topicChecks(broker, topology, config, letters);
  });
  // Letter topics are told of above whatever the times of their records.
  yield guarded('results', () => retentionChecks(broker, topology, applicationId, []));
  if (!complete) {
    yield [{ about: 'internal topics', result: 'skipped', text: 'they depend on the topics that are missing' }];
    return;
  }
  yield guarded('internal topics', async () => {
    const { state } = await broker.admin.describeGroup(applicationId);
    return internalChecks(broker, topology, config, { applicationId, cluster, hasRun: state !== 'Dead' });
  });
  yield guarded(`group ${applicationId}`, () => groupChecks(broker, topology, applicationId));
}

const colors = { ok: 'green', warning: 'yellow', failed: 'red', skipped: 'dim' } as const;

function lineOf({ about, result, text, remedy }: Check, color: boolean): string {
  const end = /[.!?]$/.test(text) ? '' : '.';
  return `${paint(result.padEnd(7), colors[result], color)}  ${about}: ${text}${end}${remedy === undefined ? '' : ` ${remedy}`}\n`;
}
