import { setTimeout as delay } from 'node:timers/promises';
import type { BrokerAdmin } from '../../clients/broker.ts';
import { messageOf, StreamsError } from '../../common/errors.ts';
import type { Topology } from '../../topology/topology.ts';
import { ApplicationProgress, type CommittedInput } from './application-progress.ts';
import { isInternalTopic } from './internal-names.ts';
import { type AssignmentData, hostsOf } from './member-data.ts';
import { decodeTaskMetadata, noNames } from './task-metadata.ts';

/** What is waited for. */
export interface TableAppliedOptions {
  readonly applicationId: string;
  /** The application's topology over the topics that it reads. */
  readonly topology: (sources: readonly string[]) => Topology;
  /** Topic of the global table. */
  readonly topic: string;
  /** Positions up to which all tasks and all instances shall have applied it, by partition. */
  readonly ends: readonly number[];
  /** How far an instance's copies of the global tables are: by topic, a position for each partition. Asked of those of which no task shows it. */
  readonly instancePositions: (endpoint: string) => Promise<Readonly<Record<string, readonly number[]>>>;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
  /** Between two looks, ms. @defaultValue 100 */
  readonly intervalMs?: number;
}

/**
 * Resolves when every task of an application has joined what a global table's topic holds up to given positions and has committed the results, and when
 * the copies of the instances that have no such task (they have standbys only, none at all, or tasks without a record) are as far.
 *
 * An application of which no instance runs is waited for too. A task that never had a record has nothing to join. An instance without an endpoint cannot
 * be asked and is not waited for; one that has one and does not answer is.
 *
 * @throws StreamsError `STREAMS_TIMEOUT`, with what is still missing. The signal's reason when it is aborted.
 */
export async function untilTableApplied(admin: BrokerAdmin, options: TableAppliedOptions): Promise<void> {
  const { applicationId, topic, timeoutMs, signal, intervalMs = 100 } = options;
  const untilMs = performance.now() + timeoutMs;
  const look = new Look(admin, options);
  for (;;) {
    signal?.throwIfAborted();
    const missing = await look.missing();
    if (missing === undefined) return;
    if (performance.now() >= untilMs) {
      throw new StreamsError(
        'STREAMS_TIMEOUT',
        `topic ${topic} is loaded, but application ${applicationId} has not applied it in time: ${missing}. Look at its instances, or wait longer.`,
        { topic },
      );
    }
    await delay(Math.max(1, Math.min(intervalMs, untilMs - performance.now())), undefined, signal ? { signal } : {});
  }
}

/** Looks again and again at what is missing. */
class Look {
  readonly #admin: BrokerAdmin;
  readonly #options: TableAppliedOptions;
  #sources = '';
  #progress: ApplicationProgress | undefined;

  constructor(admin: BrokerAdmin, options: TableAppliedOptions) {
    this.#admin = admin;
    this.#options = options;
  }

  /** In words; undefined for nothing. */
  async missing(): Promise<string | undefined> {
    const { applicationId } = this.#options;
    const group = await this.#admin.describeGroup(applicationId);
    const { state, members } = group;
    if (members.length === 0) return 'no instance of it runs';
    if (state !== 'Stable') return `its group is in state ${state}`;
    const topics = members.flatMap(({ partitions }) => partitions.map(({ topic }) => topic));
    const sources = [...new Set(topics)].filter((topic) => !isInternalTopic(applicationId, topic)).sort();
    if (sources.length === 0) return 'its instances have no tasks yet';
    const showing = new Set<string>();
    for (const [taskId, inputs] of byTask(await this.#progressOf(sources).committed())) {
      const missing = await this.#missingOf(taskId, inputs, showing);
      if (missing !== undefined) return missing;
    }
    return this.#missingAt(hostsOf(group), showing);
  }

  /** What the instances miss of which no task shows that they have it. */
  async #missingAt(hosts: AssignmentData['hosts'], showing: ReadonlySet<string>): Promise<string | undefined> {
    // Only a program that is not of this version tells its group of nobody.
    if (hosts.length === 0) return 'its group does not say which instances it has';
    const asked = hosts.filter(({ endpoint, active }) => endpoint !== '' && !active.some((id) => showing.has(id)));
    const missing = await Promise.all(asked.map(({ endpoint }) => this.#missingOfInstance(endpoint)));
    return missing.find((each) => each !== undefined);
  }

  async #missingOfInstance(endpoint: string): Promise<string | undefined> {
    const { instancePositions, topic } = this.#options;
    try {
      const behind = this.#behind((await instancePositions(endpoint))[topic]);
      return behind && `instance ${endpoint} is at ${behind}`;
    } catch (error) {
      return `instance ${endpoint} cannot be asked: ${messageOf(error).replace(/\.$/, '')}`;
    }
  }

  #progressOf(sources: readonly string[]): ApplicationProgress {
    const known = sources.join();
    if (this.#progress === undefined || known !== this.#sources) {
      const { topology, applicationId } = this.#options;
      this.#progress = new ApplicationProgress(this.#admin, topology(sources), applicationId);
      this.#sources = known;
    }
    return this.#progress;
  }

  /** Adds the task to those that show that their instance has applied the table. */
  async #missingOf(
    taskId: string,
    inputs: readonly CommittedInput[],
    showing: Set<string>,
  ): Promise<string | undefined> {
    const text = inputs[0]!.committed?.metadata ?? '';
    const metadata = decodeTaskMetadata(text, noNames);
    if (metadata === undefined) {
      return (await this.#areEmpty(inputs)) ? undefined : `task ${taskId} has committed nothing yet`;
    }
    const behind = this.#behind(metadata.globalPositions[this.#options.topic]);
    if (behind !== undefined) return `task ${taskId} is at ${behind}`;
    showing.add(taskId);
    return undefined;
  }

  /** Where positions are that have not reached the ends: `3 of 5`. */
  #behind(positions: readonly number[] = []): string | undefined {
    const { ends } = this.#options;
    const behind = ends.findIndex((end, partition) => (positions[partition] ?? 0) < end);
    return behind < 0 ? undefined : `${positions[behind] ?? 0} of ${ends[behind]}`;
  }

  async #areEmpty(inputs: readonly CommittedInput[]): Promise<boolean> {
    const [starts, ends] = await Promise.all([
      this.#admin.offsets(inputs, 'earliest'),
      this.#admin.offsets(inputs, 'stable'),
    ]);
    return starts.every((start, i) => start === ends[i]);
  }
}

function byTask(inputs: readonly CommittedInput[]): ReadonlyMap<string, readonly CommittedInput[]> {
  const tasks = new Map<string, CommittedInput[]>();
  for (const input of inputs) {
    const known = tasks.get(input.taskId);
    if (known === undefined) tasks.set(input.taskId, [input]);
    else known.push(input);
  }
  return tasks;
}
