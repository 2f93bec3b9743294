import { EventEmitter } from 'node:events';
import { MessageChannel } from 'node:worker_threads';
import type { ExecutionContext } from 'ava';
import type { Broker } from '../../../src/clients/broker.ts';
import type { MemoryCluster } from '../../../src/clients/memory/memory-broker.ts';
import type { KafkaStreamsOptions } from '../../../src/runtime/kafka/kafka-options.ts';
import { KafkaStreams } from '../../../src/runtime/kafka/kafka-streams.ts';
import type {
  FromThread,
  ThreadData,
  ThreadLink,
  ThreadPort,
  ToThread,
} from '../../../src/runtime/kafka/thread-messages.ts';
import type { ModuleOptions } from '../../../src/runtime/kafka/thread-module.ts';
import { runThread } from '../../../src/runtime/kafka/thread-run.ts';
import type { Topology } from '../../../src/topology/topology.ts';
import { Disk } from './disk.ts';
import { app } from './kit.ts';

/** Where the threads of a test meet: the cluster in memory is of one thread, so they all run in it, and speak through a channel as with a worker. */
interface World {
  readonly cluster: MemoryCluster;
  readonly disk: Disk;
  readonly topology: () => Topology;
  readonly brokers: Broker[];
}

const worlds = new Map<string, World>();

/** What the further threads of a test load. */
export function topology(world: string): Topology {
  return worlds.get(world)!.topology();
}

export function options(world: string): ModuleOptions {
  const { cluster, disk, brokers } = worlds.get(world)!;
  const broker = cluster.connect();
  brokers.push(broker);
  return { broker, openDatabase: disk.openDatabase };
}

/** A client with threads, and what its threads were given and have told. */
export interface Threaded {
  readonly streams: KafkaStreams;
  readonly disk: Disk;
  readonly uncaught: unknown[];
  readonly given: ThreadData[];
  readonly links: ThreadLink[];
}

export function threadedClient(
  t: ExecutionContext,
  cluster: MemoryCluster,
  made: () => Topology,
  { uncaughtHandler, ...more }: Partial<KafkaStreamsOptions> = {},
): Threaded {
  const disk = new Disk();
  const world = `${t.title} ${worlds.size}`;
  worlds.set(world, { cluster, disk, topology: made, brokers: [] });
  const uncaught: unknown[] = [];
  const given: ThreadData[] = [];
  const links: ThreadLink[] = [];
  const open = (data: ThreadData): ThreadLink => {
    given.push(data);
    const link = inThisThread(data);
    links.push(link);
    return link;
  };
  const streams = new KafkaStreams(
    made(),
    {
      ...{ broker: cluster.connect(), applicationId: app, stateDir: disk.stateDir, openDatabase: disk.openDatabase },
      ...{ commitIntervalMs: 10, sessionTimeoutMs: 30_000, heartbeatIntervalMs: 50, rebalanceTimeoutMs: 30_000 },
      ...more,
      uncaughtHandler: (error) => {
        uncaught.push(error);
        return uncaughtHandler?.(error) ?? 'shutdown-client';
      },
    },
    { module: import.meta.url, settings: world, ownsBroker: true, open },
  );
  t.teardown(() => streams.close());
  return { streams, disk, uncaught, given, links };
}

/** Runs a thread here, as if it were elsewhere. */
function inThisThread(data: ThreadData): ThreadLink {
  const { port1, port2 } = new MessageChannel();
  const events = new EventEmitter();
  port1.on('close', () => events.emit('exit', 0));
  runThread(structuredClone(data), port2 as unknown as ThreadPort<FromThread, ToThread>)
    .catch((error: unknown) => events.emit('error', error))
    .finally(() => port2.close());
  return {
    postMessage: (message) => port1.postMessage(message),
    on: (event: string, listener: (...values: never[]) => void) =>
      event === 'message'
        ? port1.on('message', listener as (message: FromThread) => void)
        : events.on(event, listener as () => void),
    terminate: async () => port2.close(),
  };
}
