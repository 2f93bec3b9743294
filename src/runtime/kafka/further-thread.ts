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

/** Why a thread has ended by itself. */
export interface ThreadFailure {
  readonly error: unknown;
  /** Not to be replaced: the same would happen to another one. */
  readonly final: boolean;
}

/** What is done with what a thread tells. */
export interface FurtherThreadHost extends Pick<FilledOptions, 'logger' | 'restoreListener'> {
  /** Its tasks have changed. */
  changed(): void;
  /** It is no more. @param failure - undefined: it was told to end */
  ended(failure: ThreadFailure | undefined): void;
}

/** A stream thread in a worker, as its client has it. */
export class FurtherThread {
  readonly number: number;
  readonly name: string;
  /** Whether all that it is given is at work. */
  ready = false;
  /** Told to end. */
  leaving = false;
  /** Its last figures. */
  engine: EngineStats | undefined;
  kafka: KafkaStats | undefined;
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

  /** Whether it has a task at work; with `stale` a copy of it. */
  has(taskId: string, stale: boolean): boolean {
    return this.#running.has(taskId) || (stale && this.#copies.has(taskId));
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
      this.engine = message.engine;
      this.kafka = message.kafka;
      this.ready = message.ready;
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

  #exited(code: number): void {
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
