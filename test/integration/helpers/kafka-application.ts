import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { ExecutionContext } from 'ava';
import { Kafka, logLevel } from 'kafkajs';
import type { Broker } from '../../../src/clients/broker.ts';
import { StreamsError } from '../../../src/common/errors.ts';
import { ApplicationProgress, type CommittedInput } from '../../../src/runtime/kafka/application-progress.ts';
import { gridTopology } from '../../../topologies/grid/topology.ts';
import { WeirProcess } from './kafka-process.ts';
import { exportedFrom, places } from './kafka-reading.ts';
import { differences, type Files } from './recount-statistics.ts';

/** How an application's instances are started. */
export interface KafkaApplicationOptions {
  readonly brokers: string;
  /** A client of the test's own. */
  readonly broker: Broker;
  readonly applicationId: string;
  /** The instances' state folders are made in here. */
  readonly folder: string;
  /** NAME=VALUE */
  readonly settings?: readonly string[];
  /** @defaultValue grid-events */
  readonly topic?: string;
  /** Further words of `run`. */
  readonly words?: readonly string[];
}

/** What an application had in hand at a moment. */
export interface InFlight {
  /** Records of the source topics that are not committed. */
  readonly sources: number;
  /** Records of repartition topics that are not committed, markers included. */
  readonly internal: number;
  /** Partitions that an open transaction has written to. */
  readonly open: number;
  /** Committed positions of the source topics by partition. */
  readonly committed: readonly number[];
}

/** The grid's statistics on Kafka: processes that come and go. */
export class KafkaApplication {
  readonly instances: (WeirProcess | undefined)[] = [];
  readonly progress: ApplicationProgress;
  /** All processes that were ever started, for their logs. */
  readonly #all: WeirProcess[] = [];
  readonly #options: KafkaApplicationOptions;
  #inputs: readonly CommittedInput[] | undefined;

  constructor(options: KafkaApplicationOptions) {
    this.#options = options;
    const { topic = 'grid-events' } = options;
    const topology = gridTopology({ zone: 'Europe/Paris', graceMs: 86_400_000, topics: [topic] });
    this.progress = new ApplicationProgress(options.broker.admin, topology, options.applicationId);
  }

  get id(): string {
    return this.#options.applicationId;
  }

  /** State folder of an instance. */
  stateOf(instance: number): string {
    return join(this.#options.folder, `state-${instance}`);
  }

  /** Starts an instance, with its own state folder. */
  start(instance: number, words: readonly string[] = []): WeirProcess {
    const { brokers, applicationId, topic = 'grid-events', settings = [], words: own = [] } = this.#options;
    const started = new WeirProcess([
      ...['run', '--brokers', brokers, '--application-id', applicationId, '--state', this.stateOf(instance)],
      ...['--topic', topic, '--log-level', 'info', ...own, ...words],
      ...([...own, ...words].includes('--port') ? [] : ['--port', '0']),
      ...settings.flatMap((setting) => ['--set', setting]),
    ]);
    this.instances[instance] = started;
    this.#all.push(started);
    return started;
  }

  /** Starts those that are not running, and waits until all are ready. */
  async allReady(count: number): Promise<void> {
    for (let i = 0; i < count; i++) if (this.instances[i]?.running !== true) this.start(i);
    await Promise.all(this.instances.map((instance) => instance?.ready()));
  }

  /** kill -9 */
  async kill(instance: number): Promise<void> {
    await this.instances[instance]?.signal('SIGKILL');
    this.instances[instance] = undefined;
  }

  /** Stops an instance cleanly: its exit code. */
  async stop(instance: number): Promise<number | string> {
    const code = await this.instances[instance]!.stop();
    this.instances[instance] = undefined;
    return code;
  }

  async deleteState(instance: number): Promise<void> {
    await rm(this.stateOf(instance), { recursive: true, force: true });
  }

  /** Ends what still runs. After a test that has failed it tells what the processes have warned of. */
  async end(t?: ExecutionContext): Promise<void> {
    for (const process of this.#all)
      if (process.running) {
        await process.signal('SIGCONT');
        await process.signal('SIGKILL');
      }
    if (t?.passed !== false) return;
    for (const [i, { stderr }] of this.#all.entries()) {
      const lines = stderr.split('\n').filter((line) => line !== '' && !/"level":"info"|"path":"\/readyz"/.test(line));
      if (lines.length > 0) t.log(`process ${i}:\n${lines.slice(-15).join('\n').slice(-6000)}`);
    }
  }

  /** Waits until everything that the source topics hold now is committed, with all that follows. */
  async caughtUp(withinMs = 90_000): Promise<void> {
    const end = Date.now() + withinMs;
    const wait = async (): Promise<void> => {
      await delay(20);
      if (Date.now() >= end) throw new Error(`not caught up: ${await this.describe()}`);
    };
    for (;;) {
      try {
        await this.progress.untilCaughtUp(wait);
        return;
      } catch (error) {
        // A broker that was just started may keep one waiting for longer than a call may take.
        if (!StreamsError.is(error) || error.code !== 'STREAMS_BROKER' || Date.now() >= end) throw error;
      }
    }
  }

  /** What is in hand now. */
  async inFlight(): Promise<InFlight> {
    const { admin } = this.#options.broker;
    this.#inputs ??= await this.progress.committed();
    const inputs = this.#inputs;
    const positions = await committedNow(this.#options.brokers, this.id);
    const [ends, open] = await Promise.all([admin.offsets(inputs, 'latest'), this.openEnds()]);
    const committed = inputs.map(({ topic, partition }) => positions.get(`${topic}-${partition}`) ?? 0);
    const lag = (of: boolean): number =>
      inputs.reduce((sum, { internal }, i) => sum + (internal === of ? ends[i]! - committed[i]! : 0), 0);
    return {
      sources: lag(false),
      internal: lag(true),
      open: open.length,
      committed: committed.filter((_, i) => !inputs[i]!.internal),
    };
  }

  /** The application's partitions that an open transaction has written to, each with its ends. */
  async openEnds(): Promise<readonly string[]> {
    const { admin } = this.#options.broker;
    const names = (await admin.listTopics()).filter((topic) => topic.startsWith(`${this.id}-`));
    const all = [...(await admin.partitionCounts(names))].flatMap(([topic, count]) =>
      Array.from({ length: count }, (_, partition) => ({ topic, partition })),
    );
    const [stable, latest] = [await admin.offsets(all, 'stable'), await admin.offsets(all, 'latest')];
    return all.flatMap(({ topic, partition }, i) =>
      latest[i]! > stable[i]! ? [`${topic}-${partition}: ${stable[i]} to ${latest[i]}`] : [],
    );
  }

  /** What differs between the changelogs and what they should say; '' for nothing. Transactions that are being completed are waited for. */
  async changelogsDiffer(expected: Files): Promise<string> {
    const { brokers } = this.#options;
    for (const end = Date.now() + 10_000; Date.now() < end && (await this.openEnds()).length > 0; ) await delay(20);
    return differences(await exportedFrom(places.changelogs(brokers, this.id)), expected);
  }

  /**
   * What differs between the stores, as an instance tells of them, and what they should say; '' for nothing. The local copies follow the broker's commit at once, but not in the same
   * instant: they have ten seconds.
   */
  async storesDiffer(instance: number, expected: Files): Promise<string> {
    let last = 'there was no answer';
    for (const end = Date.now() + 10_000; Date.now() < end; await delay(100)) {
      const url = await this.instances[instance]!.ready();
      const files = await exportedFrom(places.url(url)).catch((error: Error) => error);
      last = files instanceof Error ? files.message : differences(files, expected);
      if (last === '') return '';
    }
    return last;
  }

  /** For a failure's message: positions and the group. */
  async describe(): Promise<string> {
    const { admin } = this.#options.broker;
    const inputs = await this.progress.committed();
    const ends = await admin.offsets(inputs, 'stable');
    const group = await admin.describeGroup(this.id);
    return [
      ...inputs.map(
        ({ topic, partition, committed }, i) => `${topic}-${partition}: ${committed?.offset} of ${ends[i]}`,
      ),
      `group: ${group.state}, ${group.members.map(({ memberId }) => memberId).join(', ')}`,
    ].join('\n');
  }

  /** Writes what all processes have logged into files of a folder. */
  async writeLogs(folder: string): Promise<void> {
    await mkdir(folder, { recursive: true });
    for (const [i, { words, stderr }] of this.#all.entries())
      await writeFile(join(folder, `${i}.log`), `${words.join(' ')}\n${stderr}`);
  }

  /** Lines of all processes' logs that hold a text. */
  logged(text: string): readonly string[] {
    return this.#all.flatMap(({ stderr }) => stderr.split('\n').filter((line) => line.includes(text)));
  }
}

/** Positions of a group, by `topic-partition`, without a wait for transactions that are under way: whoever waits for those sees quiet moments only. */
async function committedNow(brokers: string, groupId: string): Promise<ReadonlyMap<string, number>> {
  const admin = new Kafka({ brokers: [brokers], logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  try {
    const topics = await admin.fetchOffsets({ groupId });
    return new Map(
      topics.flatMap(({ topic, partitions }) =>
        partitions.map(({ partition, offset }) => [`${topic}-${partition}`, Math.max(0, Number(offset))] as const),
      ),
    );
  } finally {
    await admin.disconnect();
  }
}
