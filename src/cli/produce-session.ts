import type { Database } from '../../state/database.ts';
import type { Broker, BrokerProducer, RefusedRecord } from '../clients/broker.ts';
import { fromUtf8, utf8 } from '../common/bytes.ts';
import { StreamsError } from '../common/errors.ts';
import { CapturedRows } from '../files/captured-rows.ts';
import { FolderFeed } from '../files/folder-feed.ts';
import { Letters } from '../files/letters.ts';
import { MessageFormat } from '../files/message-format.ts';
import type { PositionTopic } from '../files/position-topic.ts';
import { metaKey } from '../runtime/state-folder.ts';
import type { SourceSpec } from '../topology/node-spec.ts';
import type { Application, ApplicationSpec, ReplaySettings } from './application.ts';
import type { CommandContext } from './command-spec.ts';
import type { FilesFormat } from './files-format.ts';
import { type FolderInput, refuseSwapped } from './folder-inputs.ts';
import type { ProduceRequest } from './produce.ts';
import { ProduceLoop } from './produce-loop.ts';
import { MoveDone } from './produce-move.ts';
import type { Pacer } from './produce-pace.ts';
import { type ProduceProgress, sentDeadFile } from './produce-progress.ts';
import type { OpenTopic } from './produce-topics.ts';
import { settingsOf } from './replay-settings.ts';
import { unlessAborted } from './until-aborted.ts';
import { type Defer, withCleanup } from './with-cleanup.ts';

/** What a session works with. */
export interface ProduceSessionOptions {
  readonly spec: ApplicationSpec;
  readonly app: Application;
  /** How the files are read. */
  readonly files: FilesFormat;
  readonly request: ProduceRequest;
  readonly context: CommandContext;
  readonly broker: Broker;
  readonly folders: readonly FolderInput[];
  /** Those of the folders, in their order. */
  readonly topics: readonly OpenTopic[];
  readonly positions: PositionTopic;
  readonly progress: ProduceProgress;
  readonly pace: Pacer | undefined;
  /** Names this run among all. */
  readonly owner: string;
  /** An earlier session of this run has owned the topic: whoever owns it now has taken over. */
  readonly claimed: boolean;
}

const ownerKey = metaKey('produce/owner');
const settingsKey = metaKey('produce/settings');
const largestBatchBytes = 1_000_000;

/**
 * One attempt at sending: takes the topic over from whoever sent to it before, reads how far that was, and goes on from there.
 *
 * The order is what makes it exact: after `init` nothing of an earlier run can be committed any more, so the positions that are read then are final, and
 * so is the length of the letters.
 */
export class ProduceSession {
  /** Commits that were seen to succeed. */
  commits = 0;
  readonly #options: ProduceSessionOptions;

  constructor(options: ProduceSessionOptions) {
    this.#options = options;
  }

  /** Which run owned the topic last. */
  static async ownerOf(positions: PositionTopic): Promise<string | undefined> {
    const database = await positions.read();
    const owner = database.get(ownerKey);
    await database.close();
    return owner === undefined ? undefined : fromUtf8(owner);
  }

  /** Sends until the end of the input, or until the signal. */
  run(): Promise<void> {
    return withCleanup((defer) => this.#run(defer));
  }

  async #run(defer: Defer): Promise<void> {
    const { positions, owner, claimed, context, request, progress } = this.#options;
    const { signal } = context;
    if (claimed && (await unlessAborted(signal, ProduceSession.ownerOf(positions))) !== owner) {
      throw new StreamsError('STREAMS_TASK_MIGRATED', `another run has taken ${positions.topic} over.`);
    }
    const lettersOwner = await unlessAborted(signal, this.#lettersOwner());
    const producer = this.#producer();
    defer(() => producer.close());
    await unlessAborted(signal, producer.init());
    this.#claim(producer);
    await unlessAborted(signal, producer.commit());
    this.commits++;
    const saved = await unlessAborted(signal, positions.read());
    defer(() => saved.close());
    const settings = this.#settings(saved, producer);
    const dead = await Letters.open(sentDeadFile(request), {
      name: lettersOwner,
    });
    defer(() => dead.close());
    const feeds = await this.#feeds(saved, settings, dead, defer);
    const mover = await this.#mover(saved, settings);
    const { config } = context;
    const loop: ProduceLoop = new ProduceLoop({
      feeds,
      producer,
      positions,
      follow: request.follow,
      pace: this.#options.pace,
      commitIntervalMs: config.get('commit.interval.ms'),
      commitRecords: config.get('commit.interval.records'),
      confirm: async () => {
        this.#claim(producer);
        await producer.flush();
      },
      committed: async (rows) => {
        this.commits++;
        await mover?.committed(rows);
      },
      idle: async () => mover?.idle(),
      signal,
    });
    progress.open(
      feeds.map((feed) => feed.progress),
      () => loop.eventTimeMs,
      () => mover?.moved ?? 0,
    );
    progress.show(context.progress, settings.zone);
    try {
      await loop.run();
    } catch (error) {
      await loop.ended();
      // Nobody should have to wait for what is given up.
      await producer.abort().catch(() => {});
      throw error;
    }
  }

  #producer(): BrokerProducer {
    const { broker, request, topics, context } = this.#options;
    const { config } = context;
    return broker.producer({
      transactionalId: `${request.topic}-produce`,
      transactional: true,
      transactionTimeoutMs: config.get('transaction.timeout.ms'),
      compression: config.get('compression.type'),
      maxBatchBytes: Math.min(largestBatchBytes, ...topics.map(({ maxMessageBytes }) => maxMessageBytes)),
      refused: (record) => this.#refused(record),
    });
  }

  /** Such as one whose time lies too far ahead of the broker's clock. */
  #refused({ topic, partition, timestamp, reason }: RefusedRecord): 'continue' | 'fail' {
    const { context, positions, progress } = this.#options;
    // Without its position a row would be sent again.
    const answer = topic === positions.topic ? 'fail' : context.config.get('production.exception.handler');
    if (answer === 'fail') return answer;
    progress.refused++;
    context.logger.warn({ topic, partition, timestamp, reason }, 'the broker refused a row: it is not in the topic');
    return answer;
  }

  /** Says in the producer's transaction whose the topic is. */
  #claim(producer: BrokerProducer): void {
    const { positions, owner } = this.#options;
    const rows = new CapturedRows();
    rows.put(ownerKey, utf8(owner));
    positions.append(producer, rows);
  }

  /** The settings of earlier runs, or new ones, which are saved with the next commit. */
  #settings(saved: Database, producer: BrokerProducer): ReplaySettings {
    const { spec, request, folders, positions } = this.#options;
    const bytes = saved.get(settingsKey);
    const before = bytes === undefined ? undefined : (JSON.parse(fromUtf8(bytes)) as { readonly zone: string }).zone;
    const zone = request.zone ?? before ?? spec.defaults.zone;
    if (before === undefined) {
      const rows = new CapturedRows();
      rows.put(settingsKey, utf8(JSON.stringify({ zone })));
      positions.append(producer, rows);
    } else if (before !== zone) {
      throw new StreamsError(
        'STREAMS_STATE_INCOMPATIBLE',
        `the rows of topic ${request.topic} were sent with --zone ${before}, not with --zone ${zone}. Leave --zone out, or name another topic.`,
        { topic: request.topic },
      );
    }
    return settingsOf(spec, { zone, topics: folders.length }, undefined, '');
  }

  async #feeds(
    saved: Database,
    settings: ReplaySettings,
    dead: Letters,
    defer: Defer,
  ): Promise<readonly FolderFeed<unknown, unknown>[]> {
    const { app, files, request, folders, topics, context } = this.#options;
    const { logger, config } = context;
    // Files that were moved away are in no folder: another one may have files of their names.
    if (request.moveDone === undefined)
      await refuseSwapped(saved, folders, { format: files.over(app.format(settings), settings), byPartition: false });
    const topology = app.topology(
      settings,
      topics.map(({ topic }) => topic),
    );
    const feeds: FolderFeed<unknown, unknown>[] = [];
    for (const [i, { topic, directory }] of folders.entries()) {
      const source = topology.nodes.find(
        (node): node is SourceSpec => node.kind === 'source' && node.topics.includes(topic),
      )!;
      const { partitions, maxMessageBytes } = topics[i]!;
      const format = new MessageFormat({
        format: app.format(settings),
        keySerde: source.keySerde,
        valueSerde: app.rowMessages === true ? undefined : source.valueSerde,
        partitions,
        maxMessageBytes,
      });
      const feed = new FolderFeed<unknown, unknown>({
        topic,
        directory,
        format: files.over(format, settings) as never,
        follow: request.follow,
        verify: request.verify,
        onError: config.get('deserialization.exception.handler'),
        dead,
        // No row is late here; one file takes both.
        late: dead,
        logger,
      });
      defer(() => feed.close());
      await feed.open(saved);
      await this.#checkTopic(i, feed);
      feeds.push(feed);
    }
    return feeds;
  }

  /** Topics of the same name on two clusters have letters of their own. */
  async #lettersOwner(): Promise<string> {
    const { positions, broker } = this.#options;
    const { clusterId } = await broker.admin.describeCluster();
    return `topic ${positions.topic} of cluster ${clusterId ?? 'unknown'}`;
  }

  /** A topic that was deleted and recreated does not have what was sent to it. */
  async #checkTopic(i: number, { progress }: FolderFeed<unknown, unknown>): Promise<void> {
    const { topics, broker, positions } = this.#options;
    const { topic, partitions } = topics[i]!;
    if (progress.rows - progress.dead <= 0) return;
    const all = Array.from({ length: partitions }, (_, partition) => ({ topic, partition }));
    const ends = await broker.admin.offsets(all, 'latest');
    if (ends.some((end) => end > 0)) return;
    throw new StreamsError(
      'STREAMS_INPUT_REFUSED',
      `topic ${topic} is empty, but ${progress.rows - progress.dead} rows were sent to it before. To send them again, delete the topic ${positions.topic} too.`,
      { topic },
    );
  }

  async #mover(saved: Database, settings: ReplaySettings): Promise<MoveDone | undefined> {
    const { request, folders, app, files, context } = this.#options;
    if (request.moveDone === undefined) return undefined;
    const mover = new MoveDone(request.moveDone, folders, files.over(app.format(settings), settings), context.logger);
    await mover.open(saved);
    return mover;
  }
}
