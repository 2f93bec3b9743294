import { messageOf } from '../../common/errors.ts';
import { FurtherThread, type FurtherThreadHost, type ThreadFailure } from './further-thread.ts';
import { pastWork, type ThreadFigures } from './merge-stats.ts';
import { Rejoins } from './rejoins.ts';
import type { ThreadLink } from './thread-messages.ts';

/** What the further threads need of their client. */
export interface FurtherThreadsHost extends Omit<FurtherThreadHost, 'ended'> {
  /** Starts the thread of a number, which is one of so many. */
  open(number: number, threads: number): ThreadLink;
  nameOf(number: number): string;
  /** There are so many threads now, the client's own included. */
  counted(threads: number): void;
  /** One has ended by itself. @param replace - starts another one in its place, after a while */
  died(failure: ThreadFailure, replace: () => void): void;
}

/** The stream threads of a client beside its own one: number 2 and on. */
export class FurtherThreads {
  readonly #host: FurtherThreadsHost;
  readonly #threads = new Map<number, FurtherThread>();
  readonly #missing = new Set<number>();
  #past: readonly ThreadFigures[] = [];
  readonly #replacing = new Rejoins(() => {
    for (const number of this.#missing) this.#open(number);
    this.#missing.clear();
  });
  #closing = false;

  constructor(host: FurtherThreadsHost) {
    this.#host = host;
  }

  get all(): readonly FurtherThread[] {
    return [...this.#threads.values()];
  }

  /** Figures of those that are heard of. */
  get figures(): readonly ThreadFigures[] {
    return this.all.filter(({ silent }) => !silent).flatMap(worked);
  }

  /** What those have done that are no more, or hang: no counter of the instance falls with them, and of what they had nothing is told. */
  get past(): readonly ThreadFigures[] {
    const hanging = this.all.filter(({ silent }) => silent).flatMap(worked);
    return hanging.length === 0 ? this.#past : [pastWork([...this.#past, ...hanging])];
  }

  /** Whether all of them have what they are given. */
  get ready(): boolean {
    return this.#missing.size === 0 && this.all.every(({ ready, leaving }) => ready || leaving);
  }

  /** The thread that has a task at work; with `stale` one that has a copy of it. */
  having(taskId: string, stale: boolean): FurtherThread | undefined {
    return this.all.find((each) => each.has(taskId, false)) ?? this.all.find((each) => each.has(taskId, stale));
  }

  /** Starts one more. Returns its name. */
  add(): string {
    let number = 2;
    while (this.#threads.has(number) || this.#missing.has(number)) number++;
    return this.#open(number).name;
  }

  /** Ends the last one; the others take its tasks. Undefined: there is none. */
  async remove(timeoutMs: number): Promise<string | undefined> {
    const last = this.all.filter(({ leaving }) => !leaving).sort((a, b) => b.number - a.number)[0];
    await last?.close(timeoutMs, true);
    return last?.name;
  }

  pause(paused: boolean): void {
    for (const thread of this.all) thread.pause(paused);
  }

  async close(timeoutMs: number, leaveGroup: boolean | undefined): Promise<void> {
    this.#closing = true;
    this.#replacing.stop();
    await Promise.all(this.all.map((thread) => thread.close(timeoutMs, leaveGroup)));
  }

  #open(number: number): FurtherThread {
    const { logger, restoreListener, sessionTimeoutMs, changed } = this.#host;
    const name = this.#host.nameOf(number);
    const thread: FurtherThread = new FurtherThread(number, name, this.#host.open(number, this.#threads.size + 2), {
      logger,
      restoreListener,
      sessionTimeoutMs,
      changed,
      ended: (failure) => this.#ended(thread, failure),
    });
    this.#threads.set(number, thread);
    logger.info({ thread: name }, 'stream thread started');
    this.#host.counted(this.#threads.size + 1);
    return thread;
  }

  #ended(thread: FurtherThread, failure: ThreadFailure | undefined): void {
    const { number, name } = thread;
    this.#threads.delete(number);
    const last = worked(thread);
    if (last.length > 0) this.#past = [pastWork([...this.#past, ...last])];
    this.#host.logger.info(
      { thread: name, ...(failure && { error: failure.error }) },
      `stream thread ended${failure === undefined ? '' : `: ${messageOf(failure.error)}`}`,
    );
    if (this.#closing) return;
    this.#host.counted(this.#threads.size + 1);
    if (failure !== undefined && !thread.leaving)
      this.#host.died(failure, () => {
        this.#missing.add(number);
        this.#replacing.soon();
      });
    this.#host.changed();
  }
}

/** The last figures of a thread; none of one that has told none. */
function worked({ engine, kafka }: FurtherThread): readonly ThreadFigures[] {
  return engine !== undefined && kafka !== undefined ? [{ engine, kafka }] : [];
}
