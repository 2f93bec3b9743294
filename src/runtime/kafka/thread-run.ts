import type { Broker } from '../../clients/broker.ts';
import { messageOf } from '../../common/errors.ts';
import type { Logger } from '../../common/logger.ts';
import { ClientState } from '../client-state.ts';
import { filledOptions, type RestoreListener } from './kafka-options.ts';
import { StreamThread } from './stream-thread.ts';
import type { FromThread, ThreadData, ThreadPort, ToThread } from './thread-messages.ts';
import { sentError } from './thread-messages.ts';
import { brokerOf, loadModule } from './thread-module.ts';
import type { ThreadOwner } from './thread-owner.ts';
import { ThreadAnswers } from './thread-parts.ts';
import { passes } from './thread-tasks.ts';

const statsIntervalMs = 500;
/** How long one that has failed waits for what is under way, ms. */
const failedTimeoutMs = 30_000;

type Port = ThreadPort<FromThread, ToThread>;

/** Runs a further stream thread until it is told to end, or has failed. Everything that the client has to know goes through the port. */
export async function runThread(data: ThreadData, port: Port): Promise<void> {
  const run = new ThreadRun(data, port);
  port.on('message', (message) => run.told(message));
  await run.run();
}

class ThreadRun implements ThreadOwner {
  readonly #data: ThreadData;
  readonly #port: Port;
  readonly #life: ClientState;
  readonly #logger: Logger;
  readonly #answers: ThreadAnswers;
  readonly #over: Promise<void>;
  #isOver: () => void = () => {};
  #broker: Broker | undefined;
  #thread: StreamThread | undefined;
  #ended: Promise<void> | undefined;
  #paused: boolean;
  #cacheBytes: number | undefined;
  #telling: NodeJS.Immediate | undefined;

  constructor(data: ThreadData, port: Port) {
    this.#data = data;
    this.#port = port;
    this.#paused = data.paused;
    this.#logger = loggerTo(port);
    this.#life = new ClientState(this.#logger);
    this.#answers = new ThreadAnswers(port, (...place) => this.#thread?.ownership.part(...place));
    this.#over = new Promise((resolve) => {
      this.#isOver = resolve;
    });
  }

  async run(): Promise<void> {
    const timer = setInterval(() => this.#tell(), statsIntervalMs);
    try {
      await this.#start();
    } catch (error) {
      // What the brokers do not answer may be tried again; all else is as wrong the next time.
      this.#fails(error, !passes(error));
      await this.#ended;
      // What it had begun when it was told to end.
      await this.#thread?.release(false);
    }
    await this.#over;
    clearInterval(timer);
    this.#tell();
    this.#port.postMessage({ kind: 'ended' });
  }

  told(message: ToThread): void {
    if (message.kind === 'read') this.#answers.read(message.id, message.read);
    else if (message.kind === 'next') this.#answers.next(message.id);
    else if (message.kind === 'stop') this.#answers.stop(message.id);
    else if (message.kind === 'close') this.#end(false, message.timeoutMs, message.leaveGroup);
    else {
      if (message.kind === 'pause') this.#paused = message.paused;
      else this.#cacheBytes = message.bytes;
      this.#steer();
    }
  }

  /** Only the client's own thread asks. */
  asksShutdown(): boolean {
    return false;
  }

  changed(): void {
    if (this.#telling !== undefined) return;
    // Several changes of one moment are told together.
    this.#telling = setImmediate(() => this.#tell());
  }

  count(error: unknown): void {
    this.#life.count(error);
  }

  ends(error: unknown): void {
    this.#fails(error, true);
  }

  uncaught(error: unknown): void {
    this.#fails(error, false);
  }

  shutDown(): void {
    // The client is told the same by the group.
    this.#end(true, failedTimeoutMs, true);
  }

  async #start(): Promise<void> {
    const { module, settings, names, options, bootstrapServers } = this.#data;
    const { topology, options: own } = await loadModule(module, settings, this.#logger);
    if (this.#ended !== undefined) return;
    const broker = brokerOf(own, bootstrapServers, options.applicationId);
    this.#broker = broker;
    const thread = new StreamThread({
      topology,
      options: filledOptions({
        ...own,
        ...options,
        broker,
        logger: this.#logger,
        restoreListener: listenerTo(this.#port),
      }),
      names: () => names,
      owner: this,
    });
    this.#thread = thread;
    this.#steer();
    await thread.prepare();
    // Before it is a member: how far its global tables are belongs to what the instance says of its own.
    this.#tell();
    thread.start();
  }

  #steer(): void {
    const loop = this.#thread?.tasks.loop;
    if (loop === undefined) return;
    if (this.#cacheBytes !== undefined) loop.cacheMaxBytes = this.#cacheBytes;
    loop.paused = this.#paused;
  }

  #fails(error: unknown, final: boolean): void {
    if (this.#ended !== undefined) return;
    this.#logger.error({ error }, messageOf(error));
    this.#port.postMessage({ kind: 'failed', error: sentError(error), final });
    this.#end(true, failedTimeoutMs);
  }

  #end(failed: boolean, timeoutMs: number, leaveGroup?: boolean): void {
    const leaves = leaveGroup ?? this.#data.options.groupInstanceId === undefined;
    this.#ended ??= (async () => {
      await this.#thread?.end({ failed, timeoutMs, leaves: () => leaves });
      await this.#broker?.close();
    })().finally(() => this.#isOver());
  }

  #tell(): void {
    clearImmediate(this.#telling);
    this.#telling = undefined;
    const thread = this.#thread;
    if (thread === undefined) return;
    const { all } = thread.tasks;
    const ids = (slots: typeof all): readonly string[] => slots.map(({ taskId }) => taskId);
    this.#port.postMessage({
      kind: 'state',
      engine: thread.stats(this.#life),
      kafka: thread.kafkaStats(this.#life),
      ready: thread.ready,
      running: ids(all.filter(({ taskId }) => thread.ownership.ownerOf(taskId, false) === 'local')),
      copies: ids(all.filter(({ folder }) => folder !== undefined)),
    });
  }
}

/** Logs at the client. */
function loggerTo(port: Port): Logger {
  const log =
    (level: keyof Logger) =>
    (given: object, message: string): void => {
      const { error, ...fields } = given as Readonly<Record<string, unknown>>;
      const sent = error === undefined ? {} : { error: sentError(error) };
      port.postMessage({ kind: 'log', level, fields: plain(fields), ...sent, message });
    };
  return { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') };
}

/** What can be sent of fields of a log. */
function plain(fields: object): object {
  try {
    return JSON.parse(JSON.stringify(fields)) as object;
  } catch {
    return { fields: String(fields) };
  }
}

function listenerTo(port: Port): Required<RestoreListener> {
  const tell =
    (what: keyof RestoreListener): Required<RestoreListener>['onBatchRestored'] =>
    (progress, records = 0) =>
      port.postMessage({ kind: 'restore', what, progress: { ...progress }, records });
  return {
    onRestoreStart: tell('onRestoreStart') as Required<RestoreListener>['onRestoreStart'],
    onBatchRestored: tell('onBatchRestored'),
    onRestoreEnd: tell('onRestoreEnd') as Required<RestoreListener>['onRestoreEnd'],
  };
}
