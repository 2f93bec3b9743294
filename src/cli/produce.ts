import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Broker } from '../clients/broker.ts';
import { checkCodec } from '../clients/record-batch/compression.ts';
import { messageOf, StreamsError } from '../common/errors.ts';
import { Zone } from '../common/time/zone.ts';
import { PositionTopic } from '../files/position-topic.ts';
import { type ApplicationSpec, topicsOf } from './application.ts';
import type { CommandContext } from './command-spec.ts';
import { filesFormat } from './files-format.ts';
import { folderInputs } from './folder-inputs.ts';
import { checkTarget } from './produce-move.ts';
import { Pace, type Pacer, RatePace } from './produce-pace.ts';
import { ProduceProgress, sentDeadFile } from './produce-progress.ts';
import { ProduceSession } from './produce-session.ts';
import { openTopics } from './produce-topics.ts';
import { settingsOf } from './replay-settings.ts';
import { unlessAborted } from './until-aborted.ts';
import { withCleanup } from './with-cleanup.ts';

/** What is to be sent, and how. */
export interface ProduceRequest {
  /** Folders of events. */
  readonly events: readonly string[];
  /** Topic of the first folder. */
  readonly topic: string;
  readonly partitions: number | undefined;
  readonly follow: boolean;
  readonly moveDone: string | undefined;
  /** Undefined: as fast as it goes. */
  readonly speed: number | undefined;
  /** Records in a second. Undefined: as fast as it goes. */
  readonly rate: number | undefined;
  readonly zone: string | undefined;
  readonly format?: string | undefined;
  readonly dead: string | undefined;
  readonly verify: boolean;
}

/** How long a fenced producer waits before it looks whether anybody has taken over, ms. */
const takeoverMs = 2000;
const longestBackoffMs = 5000;

/**
 * Sends the rows of folders to topics, each exactly once, until the end, or with `follow` until the signal.
 *
 * A broker that is lost is waited for, up to `task.timeout.ms`: then it goes on from what is committed.
 *
 * @returns what was done; undefined if the signal came before the end of the input.
 */
export async function produce(
  spec: ApplicationSpec,
  request: ProduceRequest,
  context: CommandContext,
  broker: Broker,
): Promise<ProduceProgress | undefined> {
  const { config, logger, signal } = context;
  if (request.zone !== undefined) Zone.of(request.zone);
  checkCodec(config.get('compression.type'));
  const named = { ...spec, topic: request.topic };
  const app = await spec.load();
  const files = await filesFormat(request.format);
  const settings = settingsOf(spec, {}, undefined, '');
  const format = files.over(app.format(settings), settings);
  const folders = await folderInputs(named, request.events, format);
  if (request.moveDone !== undefined) await checkTarget(request.moveDone, folders);
  const replicationFactor = config.get('replication.factor');
  const { partitions } = request;
  const topics = await unlessAborted(
    signal,
    openTopics(broker.admin, topicsOf(named, folders.length), { partitions, replicationFactor, logger }),
  );
  const positions = new PositionTopic(broker, `${request.topic}-produce-positions`);
  await unlessAborted(signal, positions.prepare(replicationFactor, logger));
  const progress = new ProduceProgress(sentDeadFile(request));
  const pace = paceOf(request);
  const common = { spec, app, files, request, context, broker, folders, topics, positions, progress, pace };
  const owner = randomUUID();
  let claimed = false;
  await withCleanup(async (defer) => {
    defer(() => progress.stop());
    for (let attempt = 0, lostMs: number | undefined; ; attempt++) {
      const session = new ProduceSession({ ...common, owner, claimed });
      try {
        await session.run();
        return;
      } catch (error) {
        if (session.commits > 0) {
          claimed = true;
          attempt = 0;
          lostMs = undefined;
        }
        lostMs ??= performance.now();
        const left = config.get('task.timeout.ms') - (performance.now() - lostMs);
        if (signal.aborted || left <= 0 || !(await isPassing(error, positions, owner))) throw error;
        logger.warn({ error: messageOf(error) }, 'the broker was lost: going on from what is committed');
        await delay(Math.min(50 * 2 ** attempt, longestBackoffMs), undefined, { signal }).catch(() => {});
      }
    }
  });
  if (signal.aborted && !request.follow) {
    logger.info({}, 'stopped before the end of the input: the next run goes on from here');
    return undefined;
  }
  return progress;
}

/** Whether it is worth going on after an error: a broker that may come back, or a transaction that took too long. */
async function isPassing(error: unknown, positions: PositionTopic, owner: string): Promise<boolean> {
  if (!StreamsError.is(error)) return false;
  if (error.code === 'STREAMS_BROKER') return error.retriable;
  if (error.code !== 'STREAMS_TASK_MIGRATED') return false;
  // Brokers fence for a late commit too. Somebody who has taken over says so at once.
  await delay(takeoverMs);
  const saved = await ProduceSession.ownerOf(positions);
  if (saved === undefined || saved === owner) return true;
  throw new StreamsError(
    'STREAMS_TASK_MIGRATED',
    `another produce sends to this topic now, and has gone on from the last commit of this one (${positions.topic}): this one has ended. Run one at a time.`,
    { topic: positions.topic, cause: error },
  );
}

function paceOf({ speed, rate }: ProduceRequest): Pacer | undefined {
  if (speed !== undefined && rate !== undefined)
    throw new StreamsError('STREAMS_USAGE', '--speed and --rate each say how fast rows are sent: give one of them.');
  if (rate !== undefined) return new RatePace(rate);
  return speed === undefined ? undefined : new Pace(speed);
}
