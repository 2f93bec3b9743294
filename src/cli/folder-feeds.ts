import { stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { StreamsError } from '../common/errors.ts';
import type { Logger } from '../common/logger.ts';
import { parseCivilDate } from '../common/time/civil.ts';
import { Zone } from '../common/time/zone.ts';
import type { WantedPartition } from '../files/file-batch.ts';
import { feedPrefix } from '../files/file-ledger.ts';
import { FolderFeed } from '../files/folder-feed.ts';
import { Letters } from '../files/letters.ts';
import type { Feed } from '../runtime/feed.ts';
import { placement } from '../runtime/runtime-nodes.ts';
import type { SourceSpec } from '../topology/node-spec.ts';
import type { Topology } from '../topology/topology.ts';
import type { Application, OpenState, ReplaySettings } from './application.ts';
import type { FolderInput } from './folder-inputs.ts';
import type { Defer } from './with-cleanup.ts';

/** How folders are read. */
export interface FolderFeedsOptions {
  readonly folders: readonly FolderInput[];
  readonly follow: boolean;
  readonly verify: boolean;
  readonly onError: 'continue' | 'fail';
  /** @defaultValue `dead.jsonl` in the state folder */
  readonly dead?: string | undefined;
  /** @defaultValue `late.jsonl` in the state folder */
  readonly late?: string | undefined;
  readonly logger: Logger;
}

/** Where bad rows go. */
export function deadFileOf(stateDirectory: string, given?: string): string {
  return given ?? join(stateDirectory, 'dead.jsonl');
}

/** The state whose feeds they are. */
export interface FedState extends Pick<OpenState, 'directory' | 'settings'> {
  readonly streams: { readonly topology: Topology };
}

/** A feed for each folder, all of which write to the same letters. */
export async function openFolderFeeds(
  app: Application,
  { directory, settings, streams }: FedState,
  options: FolderFeedsOptions,
  defer: Defer,
): Promise<readonly Feed[]> {
  const { folders, follow, verify, onError, logger } = options;
  if (folders.length === 0) return [];
  const deadFile = deadFileOf(directory, options.dead);
  const lateFile = options.late ?? join(directory, 'late.jsonl');
  if (resolve(deadFile) === resolve(lateFile)) {
    throw new StreamsError('STREAMS_USAGE', `--dead and --late are the same file, ${deadFile}: give two.`);
  }
  const dead = await Letters.open(deadFile, { state: directory });
  defer(() => dead.close());
  const late = await Letters.open(lateFile, { state: directory });
  defer(() => late.close());
  // Two names of one file: links, or a folder that is reached in two ways.
  if (await sameFile(deadFile, lateFile))
    throw new StreamsError('STREAMS_USAGE', `--dead ${deadFile} and --late ${lateFile} are the same file: give two.`);
  const shared = { ...rangeOf(settings), follow, verify, onError, dead, late, logger };
  return folders.flatMap(({ topic, directory: folder }) => {
    const feed = (partition?: WantedPartition<unknown>): Feed =>
      new FolderFeed({
        ...shared,
        topic,
        directory: folder,
        format: app.format(settings),
        keyPrefix: feedPrefix(topic, partition?.number),
        ...(partition && { partition }),
      });
    return partitionFeeds(streams.topology, topic, settings, folders.length, feed);
  });
}

/** The feeds of one of so many folders: one, or one for each partition. */
export function partitionFeeds(
  topology: Topology,
  topic: string,
  { partitions }: ReplaySettings,
  folders: number,
  feed: (partition?: WantedPartition<unknown>) => Feed,
): readonly Feed[] {
  // Only the records of one partition are in order of time with those of another topic, so each gets its own feed.
  if (folders === 1 || partitions === 1) return [feed()];
  const placeOf = placementOf(topology, topic, partitions);
  return Array.from({ length: partitions }, (_, number) => feed({ number, placeOf }));
}

async function sameFile(a: string, b: string): Promise<boolean> {
  const [one, other] = await Promise.all([stat(a), stat(b)]);
  return one.ino === other.ino && one.dev === other.dev;
}

/** Which partition a key of a topic belongs to. */
function placementOf(topology: Topology, topic: string, partitions: number): (key: unknown) => number {
  const source = topology.nodes.find((node) => node.kind === 'source' && node.topics.includes(topic)) as SourceSpec;
  return placement(source.keySerde, partitions);
}

/** The event times between two civil dates. */
export function rangeOf({ zone, from, to }: ReplaySettings): { readonly fromMs?: number; readonly toMs?: number } {
  const startOf = (date: string): number => Zone.of(zone).startOfDay(parseCivilDate(date)!);
  return { ...(from !== null && { fromMs: startOf(from) }), ...(to !== null && { toMs: startOf(to) }) };
}
