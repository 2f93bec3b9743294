import { existsSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { StreamsError } from '../../common/errors.ts';
import { ownModule } from '../../common/own-package.ts';
import type { FilledOptions } from './kafka-options.ts';
import { threadDirectory } from './stored-tasks.ts';
import type { OpenThread, ThreadData, ThreadLink } from './thread-messages.ts';
import { moduleOptionNames } from './thread-module.ts';
import type { ThreadNames } from './thread-owner.ts';

/** How the further threads of a client are made. */
export interface ThreadSource {
  /** Address of the module that makes the topology. */
  readonly module: string;
  /** What its functions are given. */
  readonly settings: unknown;
  /** Where the module gives no broker. */
  readonly bootstrapServers?: readonly string[] | undefined;
  /** Whether the client's own broker was opened for it alone. */
  readonly ownsBroker: boolean;
  readonly open: OpenThread;
}

/** What is a thread's own. */
export interface OwnData {
  readonly names: ThreadNames;
  readonly cacheBytes: number;
  readonly paused: boolean;
}

/** Threads that are workers of this process. */
export function workerSource(
  module: string,
  settings: unknown,
  { bootstrapServers, ownsBroker }: Pick<ThreadSource, 'bootstrapServers' | 'ownsBroker'>,
): ThreadSource {
  return { module, settings, bootstrapServers, ownsBroker, open: openWorker };
}

/** What a further thread begins with: the client's options without those that are functions, and what is its own. */
export function threadData(source: ThreadSource, options: FilledOptions, own: OwnData): ThreadData {
  const { module, settings, bootstrapServers } = source;
  const { names, cacheBytes, paused } = own;
  const left = new Set<string>([...moduleOptionNames, 'logger', 'restoreListener', 'uncaughtHandler']);
  const plain = Object.fromEntries(Object.entries(options).filter(([name]) => !left.has(name)));
  const { groupInstanceId, stateDir } = options;
  return {
    module,
    settings,
    bootstrapServers,
    names,
    paused,
    options: {
      ...(plain as unknown as ThreadData['options']),
      stateDir: threadDirectory(stateDir, names.number),
      statestoreCacheMaxBytes: cacheBytes,
      numStreamThreads: 1,
      ...(groupInstanceId === undefined ? {} : { groupInstanceId: names.processId }),
    },
  };
}

function openWorker(data: ThreadData): ThreadLink {
  const file = ownModule('src/runtime/kafka/thread-entry');
  if (file !== undefined && existsSync(file))
    return new Worker(file, { workerData: data, name: data.names.name }) as unknown as ThreadLink;
  throw new StreamsError(
    'STREAMS_CONFIG',
    'a stream thread needs the files of the package weir-streams, which are not beside a program that was bundled into one. Leave the package outside of the bundle, or set numStreamThreads to 1.',
  );
}
