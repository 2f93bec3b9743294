import type { GlobalChange } from '../../processor/node.ts';
import type { GlobalTables, GlobalUpdate } from './global-tables.ts';
import { samePositions } from './task-metadata.ts';
import type { KafkaTask } from './transaction-log.ts';

/** Keys of a global table that are joined again between two looks at the cache. */
const keysAtOnce = 200;
const always = { fromMs: Number.NEGATIVE_INFINITY, toMs: Number.POSITIVE_INFINITY };

/** What joining again needs of its client. */
export interface GlobalJoinsHost {
  readonly globals: GlobalTables;
  readonly cacheIsFull: () => boolean;
  failed(task: KafkaTask, error: unknown): void;
}

/** Lets the running tasks of one client join again what global tables change. */
export class GlobalJoins {
  readonly #host: GlobalJoinsHost;
  readonly #catchingUp = new Set<KafkaTask>();
  #tasks: readonly KafkaTask[] = [];

  constructor(host: GlobalJoinsHost) {
    this.#host = host;
  }

  /** A task is at work. */
  add(task: KafkaTask): void {
    this.#tasks = [...this.#tasks, task];
    this.#catchUp(task);
  }

  /** A task is about to end. */
  remove(task: KafkaTask): void {
    this.#tasks = this.#tasks.filter((other) => other !== task);
  }

  /** Joins again, in every task, what these changes concern. */
  async joinAgain(updates: readonly GlobalUpdate[]): Promise<void> {
    const { positions } = this.#host.globals;
    const byStore = new Map<string, GlobalUpdate['change'][]>();
    for (const { store, change } of updates) {
      const changes = byStore.get(store);
      if (changes === undefined) byStore.set(store, [change]);
      else changes.push(change);
    }
    // Tasks that are being taken over, or are behind, read the same changes for themselves.
    for (const task of this.#tasks)
      if (!this.#catchingUp.has(task))
        await joinChanges(task, byStore, this.#host.cacheIsFull).then(
          () => task.log.joinedUpTo(positions),
          (error: unknown) => this.#failed(task, error),
        );
  }

  /** A global table may have changed between the task's takeover and its start, and while it caught up. */
  #catchUp(task: KafkaTask): void {
    if (samePositions(this.#host.globals.positions, task.log.globalPositions)) return;
    this.#catchingUp.add(task);
    catchUpWithGlobals(task, this.#host)
      .finally(() => this.#catchingUp.delete(task))
      .then(
        () => {
          if (this.#tasks.includes(task)) this.#catchUp(task);
        },
        (error: unknown) => this.#failed(task, error),
      );
  }

  #failed(task: KafkaTask, error: unknown): void {
    if (!task.closed) this.#host.failed(task, error);
  }
}

/**
 * Joins again what changed in the global tables since the task last committed, wherever it was then; until nothing has changed meanwhile.
 */
export async function catchUpWithGlobals(
  task: KafkaTask,
  { globals, cacheIsFull }: Pick<GlobalJoinsHost, 'globals' | 'cacheIsFull'>,
): Promise<void> {
  while (!samePositions(globals.positions, task.log.globalPositions)) {
    const { positions } = globals;
    const changed = await globals.changedSince(task.log.globalPositions);
    const everywhere = [...changed].map(([store, keys]) => {
      const changes: readonly GlobalChange[] = keys.map((key) => ({ key, intervals: [always] }));
      return [store, changes] as const;
    });
    await joinChanges(task, everywhere, cacheIsFull);
    task.log.joinedUpTo(positions);
  }
}

async function joinChanges(
  task: KafkaTask,
  byStore: Iterable<readonly [store: string, changes: readonly GlobalChange[]]>,
  cacheIsFull: () => boolean,
): Promise<void> {
  for (const [store, changes] of byStore)
    for (let i = 0; i < changes.length; i += keysAtOnce) {
      await task.exclusive(() => task.engine.rejoin(store, changes.slice(i, i + keysAtOnce)));
      if (cacheIsFull()) await task.commit();
    }
}
