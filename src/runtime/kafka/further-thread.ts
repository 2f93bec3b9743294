import { StreamsError } from '../../common/errors.ts';
import type { EngineStats } from '../engine-stats.ts';
import type { StorePart } from '../parts/store-part.ts';
import type { FilledOptions } from './kafka-options.ts';
import type { KafkaStats } from './kafka-stats.ts';
import { type FromThread, receivedError, type ThreadLink } from './thread-messages.ts';
import { ThreadReads } from './thread-parts.ts';

/** How long a thread has after its last commits, and after it has said that it has ended, ms: then it is ended. */
const lateMs = 5000;
const exitMs = 1000;
/** A thread tells how it is twice a second: not to hear of it for less than this means nothing, ms. */
const leastSilentMs = 2000;

/** Why a thread has ended by itself. */
export interface ThreadFailure {
  readonly error: unknown;
  /** Not to be replaced: the same would happen to another one. */
  readonly final: boolean;
}

/** What is done with what a thread tells. */
export interface FurtherThreadHost extends Pick<FilledOptions, 'logger' | 'restoreListener' | 'sessionTimeoutMs'> {
  /** Its tasks have changed, or nothing is heard of it. */
  changed(): void;
  /** It is no more. @param failure - undefined: it was told to end */
  ended(failure: ThreadFailure | undefined): void;
}

/** A stream thread in a worker, as its client has it. */
export class FurtherThread {
  readonly number: number;
  readonly name: string;
  /** Told to end. */
  leaving = false;
  /** Nothing was heard of it for as long as a session lasts: it hangs, and the group gives its tasks to others. */
  silent = false;
  /** Its last figures. */
  engine: EngineStats | undefined;
  kafka: KafkaStats | undefined;
  #ready = false;
  readonly #silence: NodeJS.Timeout;
  readonly #link: ThreadLink;
  readonly #host: FurtherThreadHost;
  readonly #reads: ThreadReads;
  readonly #ended: Promise<void>;
  #running: ReadonlySet<string> = new Set();
  #copies: ReadonlySet<string> = new Set();
  #failure: ThreadFailure | undefined;
  #over = false;

  constructor(number: number, name: string, link: ThreadLink, host: FurtherThreadHost) {
    this.number = number;
    this.name = name;
    this.#link = link;
    this.#host = host;
    this.#reads = new ThreadReads((message) => link.postMessage(message));
    this.#silence = setTimeout(() => this.#unheard(), Math.max(leastSilentMs, host.sessionTimeoutMs));
    link.on('message', (message) => this.#told(message));
    link.on('error', (error: unknown) => {
      this.#failure ??= { error, final: false };
    });
    this.#ended = new Promise((resolve) => {
      link.on('exit', (code) => {
        this.#exited(code);
        resolve();
      });
    });
  }

  /** Whether all that it is given is at work. */
  get ready(): boolean {
    return this.#ready && !this.silent;
  }

  /** Whether it has a task at work; with `stale` a copy of it. One that is not heard of can be asked for none. */
  has(taskId: string, stale: boolean): boolean {
    return !this.silent && (this.#running.has(taskId) || (stale && this.#copies.has(taskId)));
  }

  part(store: string, partition: number, stale: boolean): StorePart {
    return this.#reads.part(store, partition, stale);
  }

  pause(paused: boolean): void {
    this.#link.postMessage({ kind: 'pause', paused });
  }

  /** So much memory it has for its caches now. */
  cache(bytes: number): void {
    this.#link.postMessage({ kind: 'cache', bytes });
  }

  /** Lets it commit, leave the group and end. Resolves when it is no more. */
  async close(timeoutMs: number, leaveGroup: boolean | undefined): Promise<void> {
    this.leaving = true;
    this.#link.postMessage({ kind: 'close', timeoutMs, leaveGroup });
    const late = setTimeout(() => void this.#link.terminate(), timeoutMs + lateMs);
    await this.#ended;
    clearTimeout(late);
  }

  #told(message: FromThread): void {
    if (message.kind === 'rows') this.#reads.received(message);
    else if (message.kind === 'state') {
      this.silent = false;
      this.#silence.refresh();
      this.engine = message.engine;
      this.kafka = message.kafka;
      this.#ready = message.ready;
      this.#running = new Set(message.running);
      this.#copies = new Set(message.copies);
      this.#host.changed();
    } else if (message.kind === 'failed') this.#failure = { error: receivedError(message.error), final: message.final };
    else if (message.kind === 'log') {
      const error = message.error && { error: receivedError(message.error) };
      this.#host.logger[message.level]({ ...message.fields, ...error, thread: this.name }, message.message);
    } else if (message.kind === 'restore')
      this.#host.restoreListener[message.what]?.(message.progress, message.records);
    else {
      this.#over = true;
      // What a program has left running there ends with it.
      setTimeout(() => void this.#link.terminate(), exitMs).unref();
    }
  }

  /** Who waits for rows of it is told to ask again: another instance may have them soon. */
  #unheard(): void {
    this.silent = true;
    this.#host.logger.warn({ thread: this.name }, 'nothing is heard of a stream thread: it hangs, and so do its tasks');
    this.#reads.giveUp();
    this.#host.changed();
  }

  #exited(code: number): void {
    clearTimeout(this.#silence);
    this.#running = new Set();
    this.#copies = new Set();
    this.#reads.end();
    const byItself: ThreadFailure = {
      error: new StreamsError(
        'STREAMS_PROCESSING',
        `stream thread ${this.name} has ended by itself, with code ${code}.`,
      ),
      final: false,
    };
    this.#host.ended(this.#failure ?? (this.leaving || this.#over ? undefined : byItself));
  }
}
