import type { BrokerAdmin } from '../../clients/broker.ts';
import { type TopicsNow, topicsNow } from './application-topics.ts';
import { anewError, goneError, type TopicRole } from './loss-errors.ts';

/** A topic is taken for deleted when it was not there in two looks, so many ms apart: a broker that has just started may not know it yet. */
const secondLookMs = 300;

/** Looks at the topics of an application again: whether they are still those with which it began, and whether they have grown. */
export class ClusterWatch {
  readonly #admin: BrokerAdmin;
  readonly #roles: ReadonlyMap<string, TopicRole>;
  readonly #grown: (partitions: ReadonlyMap<string, number>) => void;
  #known: TopicsNow;
  #looking: Promise<TopicsNow> | undefined;

  /**
   * @param known - The topics as they were when the application began.
   * @param grown - Told of the partitions of all topics where one has more than before. What it throws is thrown to those who look.
   */
  constructor(
    admin: BrokerAdmin,
    roles: ReadonlyMap<string, TopicRole>,
    known: TopicsNow,
    grown: (partitions: ReadonlyMap<string, number>) => void,
  ) {
    this.#admin = admin;
    this.#roles = roles;
    this.#known = known;
    this.#grown = grown;
  }

  /** The topics as they were at the last look. */
  get known(): TopicsNow {
    return this.#known;
  }

  /**
   * Looks now; looks at the same time are one.
   *
   * @throws StreamsError `STREAMS_INTERNAL_TOPIC`, `STREAMS_INPUT_REFUSED`, `STREAMS_MISSING_SOURCE_TOPIC` where a topic is gone or is another one; `STREAMS_BROKER`
   */
  look(): Promise<TopicsNow> {
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  async #look(): Promise<TopicsNow> {
    const topics = [...this.#roles.keys()];
    let now = await topicsNow(this.#admin, topics);
    if (topics.some((topic) => !now.ids.has(topic) || !now.partitions.has(topic))) {
      await new Promise((resolve) => setTimeout(resolve, secondLookMs));
      now = await topicsNow(this.#admin, topics);
    }
    for (const [topic, role] of this.#roles) {
      const id = now.ids.get(topic);
      if (id === undefined || !now.partitions.has(topic)) throw goneError(role, topic);
      const before = this.#known.ids.get(topic);
      if (before !== undefined && before !== id) throw anewError(role, topic);
    }
    const before = this.#known.partitions;
    if (topics.some((topic) => now.partitions.get(topic)! > (before.get(topic) ?? 0))) this.#grown(now.partitions);
    this.#known = now;
    return now;
  }
}
