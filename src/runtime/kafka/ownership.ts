import type { Database } from '../../../state/database.ts';
import type { GroupMember } from '../../clients/broker.ts';
import { StreamsError } from '../../common/errors.ts';
import type { StoreSpec } from '../../processor/node.ts';
import type { Topology } from '../../topology/topology.ts';
import { localPart } from '../parts/local-part.ts';
import type { StorePart } from '../parts/store-part.ts';
import { taskIdText } from '../task.ts';
import type { GlobalTables } from './global-tables.ts';
import type { AssignmentData } from './member-data.ts';
import type { TaskSlot } from './task-slot.ts';
import type { TopicsPlan } from './topics-plan.ts';

/** Where the committed rows of a task are: here, at another instance's endpoint, or on their way. */
export type Owner = 'local' | { readonly endpoint: string } | 'migrating';

/** What is known of who has which task. */
export interface OwnershipView {
  readonly topology: Topology;
  readonly processId: string;
  /** What all threads of this instance have in common. */
  readonly hostProcess?: string | undefined;
  readonly sessionTimeoutMs: number;
  readonly plan: TopicsPlan | undefined;
  readonly slots: ReadonlyMap<string, TaskSlot>;
  readonly member: GroupMember | undefined;
  readonly assignment: AssignmentData | undefined;
  readonly rebalancing: boolean;
  readonly globals: GlobalTables | undefined;
}

/** Says which task has a key or a partition of a store, and who has the task. */
export class Ownership {
  readonly #view: () => OwnershipView;

  constructor(view: () => OwnershipView) {
    this.#view = view;
  }

  /** All stores, the global ones included. */
  specs(): readonly StoreSpec[] {
    return [...this.#view().topology.stores, ...this.#view().topology.globalTables.map(({ store }) => store)];
  }

  /** @throws StreamsError `STREAMS_STATE_STORE_UNKNOWN` */
  specOf(name: string): StoreSpec {
    const specs = this.specs();
    const found = specs.find((spec) => spec.name === name);
    if (found !== undefined) return found;
    throw new StreamsError(
      'STREAMS_STATE_STORE_UNKNOWN',
      `there is no store ${name}. The stores are: ${specs.map((spec) => spec.name).join(', ')}.`,
    );
  }

  /** Whether the store is the same in every instance. */
  isGlobal(store: string): boolean {
    return this.#view().topology.globalTables.some((table) => table.store.name === store);
  }

  /** The task whose copy of a store has a partition: `0_3`. */
  taskOf(store: string, partition: number): string {
    const part = this.#view().topology.subTopologies.find(({ stores }) => stores.includes(store));
    return taskIdText({ subTopology: part?.id ?? 0, partition });
  }

  /** How many partitions a store has; 0 before the topics are known. */
  partitionsOf(store: string): number {
    if (this.isGlobal(store)) return 1;
    const part = this.#view().topology.subTopologies.find(({ stores }) => stores.includes(store));
    return part === undefined ? 0 : (this.#view().plan?.partitionsOf.get(part.id) ?? 0);
  }

  /**
   * Who has a task now. `migrating` during a rebalance, while the task is restored, and while this instance's membership is not confirmed: it may be owned elsewhere by now.
   *
   * @param stale - Also what may be out of date: the copy that this instance has, whoever owns the task.
   */
  ownerOf(taskId: string, stale: boolean): Owner {
    const { slots, member, assignment, rebalancing, sessionTimeoutMs, processId, hostProcess } = this.#view();
    const slot = slots.get(taskId);
    if (stale && slot?.folder !== undefined) return 'local';
    if (member === undefined || rebalancing || member.unconfirmedMs > sessionTimeoutMs) return 'migrating';
    if (slot?.role === 'active') return slot.status === 'running' ? 'local' : 'migrating';
    const host = assignment?.hosts.find(({ active }) => active.includes(taskId));
    if (host === undefined || host.endpoint === '' || host.processId === processId) return 'migrating';
    // Of another thread of this instance it is known here when it has the task.
    if (hostProcess !== undefined && host.hostProcess === hostProcess) return 'migrating';
    return { endpoint: host.endpoint };
  }

  /** A store's partition, if this thread owns its task now; with `stale` if it has a copy of it. */
  part(store: string, partition: number, stale: boolean): StorePart | undefined {
    const own = this.isGlobal(store) || this.ownerOf(this.taskOf(store, partition), stale) === 'local';
    const rows = own ? this.localRows(store, partition) : undefined;
    return rows && localPart(this.specOf(store), rows.database, rows.prefix, partition);
  }

  /** Database and prefix of the committed rows of a store's partition, if a copy of it is here. */
  localRows(
    store: string,
    partition: number,
  ): { readonly database: Database; readonly prefix: Uint8Array } | undefined {
    const { globals, slots } = this.#view();
    const folder = this.isGlobal(store) ? globals?.folder : slots.get(this.taskOf(store, partition))?.folder;
    return folder && { database: folder.database, prefix: folder.prefixOf(store) };
  }
}
