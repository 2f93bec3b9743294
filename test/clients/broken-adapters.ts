import type {
  Broker,
  BrokerProducer,
  Fetcher,
  FetcherOptions,
  GroupMember,
  GroupMemberOptions,
} from '../../src/clients/broker.ts';
import type { FetchedRecords } from '../../src/clients/fetched-records.ts';
import type { MemoryCluster } from '../../src/clients/memory/memory-broker.ts';

/** An adapter with one mistake, made of one that is right. */
export interface BrokenAdapter {
  readonly mistake: string;
  /** Title of the case that finds it. */
  readonly foundBy: string;
  breakIt(broker: Broker, cluster: MemoryCluster): Broker;
}

/** The object with some of its members replaced. */
function but<T extends object>(whole: T, changes: Partial<T>): T {
  return new Proxy(whole, {
    get: (target, name) => {
      const value: unknown = Reflect.get(name in changes ? changes : target, name);
      return typeof value === 'function' && !(name in changes) ? value.bind(target) : value;
    },
  });
}

const withFetcher = (broker: Broker, make: (options: FetcherOptions) => Fetcher): Broker =>
  but(broker, { fetcher: make });

const withReceive = (broker: Broker, change: (records: FetchedRecords) => FetchedRecords | undefined): Broker =>
  withFetcher(broker, (options) =>
    broker.fetcher({
      ...options,
      receive: (records) => {
        const changed = change(records);
        if (changed !== undefined) options.receive(changed);
      },
      failed: (...failure) => options.failed(...failure),
    }),
  );

const withProducer = (broker: Broker, change: (producer: BrokerProducer) => Partial<BrokerProducer>): Broker =>
  but(broker, {
    producer: (options) => {
      const producer = broker.producer(options);
      return but(producer, change(producer));
    },
  });

const withMember = (
  broker: Broker,
  changeOptions: (options: GroupMemberOptions) => Partial<GroupMemberOptions>,
  change: (member: GroupMember, options: GroupMemberOptions) => Partial<GroupMember> = () => ({}),
): Broker =>
  but(broker, {
    member: (options) => {
      const member = broker.member(but(options, changeOptions(options)));
      return but(member, change(member, options));
    },
  });

export const brokenAdapters: readonly BrokenAdapter[] = [
  {
    mistake: 'joins with the name of a static member and says another at each start',
    foundBy:
      'a static member that stops and comes back within its session has its part again in the same generation, and the others hear nothing',
    breakIt: (broker) =>
      withMember(broker, ({ groupInstanceId = '' }) => ({ groupInstanceId: `${groupInstanceId}${Math.random()}` })),
  },
  {
    mistake: 'takes static members out of the group when it is closed',
    foundBy: 'a client that closes leaves its static members in the group, and takes the others out',
    breakIt: (broker) => {
      const members: GroupMember[] = [];
      return but(broker, {
        member: (options) => {
          const member = broker.member(options);
          members.push(member);
          return member;
        },
        close: async () => {
          for (const member of members) await member.leave();
          await broker.close();
        },
      });
    },
  },
  {
    mistake: 'gives out aborted records',
    foundBy: 'of several aborted ranges of one producer among committed ones, none is seen',
    breakIt: (broker) =>
      withFetcher(broker, (options) => broker.fetcher(but(options, { isolation: 'read_uncommitted' }))),
  },
  {
    mistake: 'stops its position at the last record',
    foundBy: 'the position reaches the stable end of a topic that ends in an aborted transaction and its marker',
    breakIt: (broker) => {
      let next = 0;
      return withReceive(broker, (records) => {
        if (records.length > 0) next = records.offsets[records.length - 1]! + 1;
        return { ...records, nextOffset: next };
      });
    },
  },
  {
    mistake: 'keeps to itself what brings no records',
    foundBy: 'after each add the receiver is told position and end, with nothing to read too',
    breakIt: (broker) => withReceive(broker, (records) => (records.length === 0 ? undefined : records)),
  },
  {
    mistake: 'uses the bytes of fetched records again',
    foundBy: 'fetched records do not change while somebody holds them',
    breakIt: (broker) => {
      const once = Buffer.alloc(10_000_000);
      return withReceive(broker, (records) => {
        records.bytes.copy(once);
        return { ...records, bytes: once };
      });
    },
  },
  {
    mistake: 'goes on reading where it was when a partition is added again',
    foundBy:
      'whatever is added, removed, paused and resumed, each partition is given out from where it was added last, without a gap',
    breakIt: (broker) =>
      withFetcher(broker, (options) => {
        const added = new Set<number>();
        const fetcher = broker.fetcher(options);
        return but(fetcher, {
          add: (partition) => {
            if (!added.has(partition.partition)) fetcher.add(partition);
            added.add(partition.partition);
          },
        });
      }),
  },
  {
    mistake: 'gives out records of removed partitions',
    foundBy: 'nothing of a partition is given out after it was removed or the fetcher closed',
    breakIt: (broker) =>
      withFetcher(broker, (options) => {
        const fetcher = broker.fetcher(options);
        return but(fetcher, { remove: (partition) => void setTimeout(() => fetcher.remove(partition), 20) });
      }),
  },
  {
    mistake: 'makes nothing of no value',
    foundBy: 'keys, values, headers and times of records come back as they were written, in their order',
    breakIt: (broker) =>
      withProducer(broker, (producer) => ({
        append: (topic, partition, timestamp, key, value, headers) =>
          producer.append(topic, partition, timestamp, key, value ?? new Uint8Array(0), headers),
      })),
  },
  {
    mistake: 'keeps the buffers of its caller',
    foundBy: 'the caller may reuse its buffers after append',
    breakIt: (broker) =>
      withProducer(broker, (producer) => {
        const held: Parameters<BrokerProducer['append']>[] = [];
        return {
          append: (...record) => void held.push(record),
          flush: () => {
            for (const record of held.splice(0)) producer.append(...record);
            return producer.flush();
          },
        };
      }),
  },
  {
    mistake: 'fences nobody',
    foundBy:
      'a new owner ends the open transaction of the old one: its records are never seen, and its calls fail with STREAMS_TASK_MIGRATED',
    breakIt: (broker) => {
      let n = 0;
      return but(broker, {
        producer: (options) =>
          broker.producer({ ...options, transactionalId: `${options.transactionalId}-${n++}-${Math.random()}` }),
      });
    },
  },
  {
    mistake: 'is initialised again to retry a commit that failed',
    foundBy: 'several owners that were stopped one after the other all find themselves fenced',
    breakIt: (broker) =>
      but(broker, {
        producer: (options) => {
          const first = broker.producer(options);
          return but(first, {
            commit: async (groupId, offsets) => {
              try {
                return await first.commit(groupId, offsets);
              } catch {
                const second = broker.producer(options);
                await second.init();
                return second.commit(groupId, offsets);
              }
            },
          });
        },
      }),
  },
  {
    mistake: 'commits offsets beside the transaction',
    foundBy: 'a connection cut before the end of a transaction leaves it wholly there or wholly not',
    breakIt: (broker) =>
      withProducer(broker, (producer) => ({
        commit: async (groupId, offsets) => {
          if (offsets !== undefined && offsets.length > 0) await broker.admin.setCommitted(groupId!, offsets);
          return producer.commit();
        },
      })),
  },
  {
    mistake: 'writes some records outside of the transaction',
    foundBy: 'a stopped owner that had sent everything and was about to commit does not commit when it wakes',
    breakIt: (broker) => {
      const plain = broker.producer({ transactional: false });
      const ready = plain.init().catch(() => {});
      return withProducer(broker, (producer) => ({
        append: (topic, partition, ...record) =>
          (partition === 1 ? plain : producer).append(topic, partition, ...record),
        flush: async () => {
          await ready;
          await plain.flush();
          await producer.flush();
        },
      }));
    },
  },
  {
    mistake: 'puts what is appended during a flush into it',
    foundBy: 'what is appended while a flush or commit is under way belongs to the next one',
    breakIt: (broker) =>
      withProducer(broker, (producer) => ({
        commit: async (...commit) => {
          await new Promise((resolve) => setImmediate(resolve));
          return producer.commit(...commit);
        },
      })),
  },
  {
    mistake: 'tells no positions',
    foundBy: 'commit tells the position after the last record of each partition written since the commit before',
    breakIt: (broker) =>
      withProducer(broker, (producer) => ({
        commit: async (...commit) => {
          await producer.commit(...commit);
          return new Map();
        },
      })),
  },
  {
    mistake: 'creates topics by asking for them',
    foundBy: 'asking for a topic that does not exist leaves it out and does not create it',
    breakIt: (broker) =>
      but(broker, {
        admin: but(broker.admin, {
          partitionCounts: async (topics) => {
            await broker.admin.createTopics(
              topics.map((topic) => ({ topic, partitions: 1, replicationFactor: -1, configs: {} })),
            );
            return broker.admin.partitionCounts(topics);
          },
        }),
      }),
  },
  {
    mistake: 'takes the name of a topic for its id',
    foundBy: 'a topic that is recreated has another id, and until then the same one for everybody',
    breakIt: (broker) =>
      but(broker, {
        admin: but(broker.admin, {
          topicIds: async (topics) => {
            const there = await broker.admin.partitionCounts(topics);
            return new Map([...there.keys()].map((topic) => [topic, topic]));
          },
        }),
      }),
  },
  {
    mistake: 'deletes no records',
    foundBy: 'deleting records moves the start of a partition, and of that partition alone',
    breakIt: (broker) => but(broker, { admin: but(broker.admin, { deleteRecords: async () => {} }) }),
  },
  {
    mistake: 'sends no heartbeats while a member works',
    foundBy: 'a member that works on its assignment for longer than its session stays in the group',
    breakIt: (broker, cluster) =>
      withMember(broker, (options) => ({
        assigned: async (...assigned) => {
          cluster.pause(broker);
          await options.assigned(...assigned);
          cluster.resume(broker);
        },
      })),
  },
  {
    mistake: 'hands over an assignment while the member works on another',
    foundBy: 'a member that joins while another works makes a new generation with both, when the other is ready',
    breakIt: (broker) =>
      withMember(broker, (options) => ({
        assigned: async (...assigned) => void options.assigned(...assigned),
      })),
  },
  {
    mistake: 'does not say good-bye',
    foundBy: 'a member that joins or leaves makes a new generation, at once',
    breakIt: (broker) =>
      withMember(
        broker,
        () => ({}),
        () => ({ leave: async () => {} }),
      ),
  },
  {
    mistake: 'commits positions whatever the generation',
    foundBy:
      'a member that is stopped is thrown out after its session; awake again it is told, commits nothing, and joins again',
    breakIt: (broker) =>
      withMember(
        broker,
        () => ({}),
        (_, { groupId }) => ({
          commit: async (offsets) => {
            const producer = broker.producer({ transactional: true, transactionalId: groupId });
            await producer.init();
            await producer.commit(groupId, offsets);
          },
        }),
      ),
  },
  {
    mistake: 'does not tell that a member is lost',
    foundBy: 'a stopped member knows for how long it has not been confirmed, and that it is out when it asks',
    breakIt: (broker) => withMember(broker, () => ({ lost: () => {} })),
  },
  {
    mistake: 'does not ask for a new generation',
    foundBy: 'rejoin brings a new generation, whoever asks for it',
    breakIt: (broker) =>
      withMember(
        broker,
        () => ({}),
        () => ({ rejoin: () => {} }),
      ),
  },
  {
    mistake: 'loses what the leader tells a member',
    foundBy: 'what a member tells the leader and the leader tells a member arrives, whatever the bytes',
    breakIt: (broker) =>
      withMember(broker, (options) => ({
        assigned: (assignment, generation) =>
          options.assigned({ ...assignment, userData: new Uint8Array(0) }, generation),
      })),
  },
];
