import type {
  Broker,
  BrokerAdmin,
  BrokerProducer,
  Fetcher,
  FetcherOptions,
  GroupMember,
  GroupMemberOptions,
  ProducerOptions,
} from '../broker.ts';
import { checkCodec } from '../record-batch/compression.ts';
import type { ClusterState } from './cluster-state.ts';
import type { Link } from './link.ts';
import { MemoryAdmin } from './memory-admin.ts';
import { MemoryFetcher } from './memory-fetcher.ts';
import { MemoryMember } from './memory-member.ts';
import { MemoryProducer } from './memory-producer.ts';

/** One client of the cluster in memory. */
export class MemoryClient implements Broker {
  readonly admin: BrokerAdmin;
  readonly #state: ClusterState;
  readonly #link: Link;
  /** How the members made of it end with it. */
  readonly #members: (() => Promise<void>)[] = [];
  readonly #fetchers: Fetcher[] = [];

  constructor(state: ClusterState, link: Link) {
    this.#state = state;
    this.#link = link;
    this.admin = new MemoryAdmin(state, link);
  }

  producer(options: ProducerOptions): BrokerProducer {
    checkCodec(options.compression ?? 'none');
    return new MemoryProducer(this.#state, this.#link, options);
  }

  fetcher(options: FetcherOptions): Fetcher {
    const fetcher = new MemoryFetcher(this.#state, this.#link, options);
    this.#fetchers.push(fetcher);
    return fetcher;
  }

  member(options: GroupMemberOptions): GroupMember {
    const member = new MemoryMember(this.#state, this.#link, options);
    this.#members.push(() => (options.groupInstanceId === undefined ? member.leave() : member.stop()));
    return member;
  }

  async close(): Promise<void> {
    if (this.#link.isClosed) return;
    await Promise.all(this.#fetchers.map((fetcher) => fetcher.close()));
    const left = Promise.all(this.#members.map((end) => end()));
    // A client that is stopped cannot say good-bye.
    if (!this.#link.isPaused) await left;
    this.#link.close();
  }
}
