import type { PartitionOffset } from '../broker.ts';
import { Backoff } from './backoff.ts';

/** A batch that is written while its end is looked for is there in the next fetch, or the one after it. */
const mostFruitless = 10;

/** A partition that is read. A partition that is added again is another one: what was fetched for the first is dropped. */
export class Reading {
  readonly topic: string;
  readonly partition: number;
  /** Where to read on. */
  position: number;
  stableEnd = -1;
  paused = false;
  /** Whether the receiver has heard of it since it was added. */
  told = false;
  /** Whether a fetch of it is under way. */
  busy = false;
  /** Whether its last fetch has brought something. */
  hot = false;
  /** The broker to ask; undefined: to be found out. */
  leader: number | undefined;
  /** No fetch and no search for the leader before this time, ms of `performance.now()`. */
  notBefore = 0;
  /** Since when brokers say that there is no such partition, ms of `performance.now()`. */
  unknownSince: number | undefined;
  /** Fetches in a row that have brought bytes and not one whole batch. */
  #fruitless = 0;
  readonly #backoff = new Backoff(5, 500);

  constructor({ topic, partition, offset }: PartitionOffset) {
    this.topic = topic;
    this.partition = partition;
    this.position = offset;
  }

  /** Something is wrong that will pass: wait a little longer than the last time. */
  backOff(): void {
    this.notBefore = performance.now() + this.#backoff.next();
  }

  /** A fetch has brought bytes and not one whole batch; true where that has happened too often to pass. */
  isStuck(): boolean {
    return ++this.#fruitless >= mostFruitless;
  }

  /** All is well. */
  goesOn(): void {
    this.#fruitless = 0;
    this.unknownSince = undefined;
    this.#backoff.reset();
  }
}
