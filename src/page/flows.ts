import type { FeedView, KafkaView, LiveView } from './answers.ts';
import { bytes, count } from './format.ts';
import { Rates } from './rates.ts';

/** How long what waits may stand still before it is called stalled, ms. */
const stallMs = 10_000;

/** What goes along an edge of the graph. */
export interface Flow {
  /** In a second; undefined until it was measured. */
  readonly rate: number | undefined;
  readonly total: number;
  /** What waits there, in words; empty for nothing. */
  readonly waiting: string;
  /** Why it is called stalled, in words; empty where it is not. */
  readonly stalled: string;
}

/** The flows of a topology, measured from one set of figures to the next. */
export class Flows {
  readonly #rates = new Rates();
  #flows = new Map<string, Flow>();

  /** What the topology takes from a topic. */
  from(topic: string): Flow | undefined {
    return this.#flows.get(`from ${topic}`);
  }

  /** What it writes to a topic. */
  to(topic: string): Flow | undefined {
    return this.#flows.get(`to ${topic}`);
  }

  /** What it writes to a store. */
  into(store: string): Flow | undefined {
    return this.#flows.get(`into ${store}`);
  }

  update(live: LiveView): void {
    const { nowMs, kafka } = live;
    this.#flows = new Map();
    for (const { name, puts } of live.stores)
      if (puts !== undefined) this.#measure(`into ${name}`, nowMs, puts, '', () => '');
    if (kafka === undefined) {
      const fed = new Set(live.feeds.map(({ topic }) => topic));
      for (const topic of new Set(live.tasks.flatMap(({ topics }) => topics)))
        if (!fed.has(topic)) this.#queue(topic, live);
      for (const feed of live.feeds) this.#feed(feed, nowMs);
    } else this.#topics(kafka, nowMs);
    // What has stopped on purpose does not stall.
    if (['NOT_RUNNING', 'PENDING_SHUTDOWN'].includes(live.state))
      for (const [name, flow] of this.#flows) this.#flows.set(name, { ...flow, stalled: '' });
  }

  #feed(feed: FeedView, nowMs: number): void {
    const left = feed.bytesTotal - feed.bytes;
    const readable = feed.filesTotal - Object.keys(feed.refused ?? {}).length;
    const waits = left > 0 && feed.filesDone < readable;
    const still = (ms: number): string => `no row for ${seconds(ms)}`;
    this.#measure(`from ${feed.topic}`, nowMs, feed.rows, waits ? bytes(left) : '', still);
  }

  /** An internal topic of an application without a broker: a queue before its tasks, which has whatever they have processed. */
  #queue(topic: string, { tasks, nowMs }: LiveView): void {
    const readers = tasks.filter(({ topics }) => topics.includes(topic));
    const processed = readers.reduce((sum, task) => sum + task.processed, 0);
    const buffered = readers.reduce((sum, task) => sum + task.bufferedRecords, 0);
    const still = (ms: number): string => `none for ${seconds(ms)}`;
    this.#measure(`from ${topic}`, nowMs, processed, buffered > 0 ? `${count(buffered)} records` : '', still);
  }

  #topics({ inputs, unread, consumed, outputs }: KafkaView, nowMs: number): void {
    const totals = new Map<string, number>();
    for (const [of, records] of Object.entries(consumed)) {
      const topic = of.slice(0, of.lastIndexOf('-'));
      totals.set(topic, (totals.get(topic) ?? 0) + records);
    }
    for (const { topic } of inputs) if (!totals.has(topic)) totals.set(topic, 0);
    for (const [topic, total] of totals) {
      const here = inputs.filter((input) => input.topic === topic);
      const alone = unread.filter((partition) => partition.topic === topic);
      const behind = [...here, ...alone].reduce((sum, { lag }) => sum + (lag ?? 0), 0);
      const stalled = [
        ...here.flatMap(({ partition, position, lag }) => {
          const rate = this.#rates.of(`at ${topic} ${partition}`);
          rate.add(nowMs, position);
          const still = nowMs - (rate.changedAtMs ?? nowMs);
          if ((lag ?? 0) === 0 || still < stallMs) return [];
          return `partition ${partition} at ${count(position)} for ${seconds(still)}, ${count(lag!)} behind`;
        }),
        ...alone.map(({ partition, lag }) => `partition ${partition} is read by no task, ${count(lag)} behind`),
      ].join('; ');
      this.#measure(`from ${topic}`, nowMs, total, behind > 0 ? `${count(behind)} records` : '', () => '', stalled);
    }
    for (const { topic, records } of outputs) this.#measure(`to ${topic}`, nowMs, records, '', () => '');
  }

  #measure(
    name: string,
    nowMs: number,
    total: number,
    waiting: string,
    still: (ms: number) => string,
    stalled = '',
  ): void {
    const rate = this.#rates.of(name);
    const perSecond = rate.add(nowMs, total);
    const stillMs = nowMs - (rate.changedAtMs ?? nowMs);
    const why = stalled === '' && waiting !== '' && stillMs >= stallMs ? still(stillMs) : stalled;
    this.#flows.set(name, { rate: perSecond, total, waiting, stalled: why });
  }
}

function seconds(ms: number): string {
  return `${Math.round(ms / 1000)} s`;
}
