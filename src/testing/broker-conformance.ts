import type { Broker } from '../clients/broker.ts';
import type { CutWhen } from '../clients/memory/link.ts';
import { fetchingCases } from './broker-conformance-fetching.ts';
import { groupCases } from './broker-conformance-groups.ts';
import { type BrokerCase, BrokerKit } from './broker-conformance-kit.ts';
import { recordCases } from './broker-conformance-records.ts';
import { staticMemberCases } from './broker-conformance-static.ts';
import { stoppedMemberCases } from './broker-conformance-stopped.ts';
import { takeoverCases } from './broker-conformance-takeover.ts';
import { topicCases } from './broker-conformance-topics.ts';
import { transactionCases } from './broker-conformance-transactions.ts';
import type { ConformanceCase } from './database-conformance.ts';

export type { CutWhen };

/**
 * What the conformance suite of the broker port needs of an adapter and its broker.
 *
 * Names of topics, groups and ids are new for each case, so that cases run in parallel on one broker.
 */
export interface BrokerConformanceHarness {
  /** A client with connections of its own. The case closes it. */
  connect(): Promise<Broker>;
  /** Session timeout of members, ms: the least that the broker takes makes the suite fast. A case takes up to ten of them. */
  readonly sessionTimeoutMs: number;
  /** Replication factor of topics. @defaultValue -1, the broker's default */
  readonly replicationFactor?: number;
  /** Longest wait for one thing to happen, ms. @defaultValue 30000 */
  readonly patienceMs?: number;
  /**
   * Stops a client as if its process were stopped: from now on none of its requests arrives at the broker and no answer at the client, until `thaw`. Requests may wait
   * or fail after the client's own timeout. Absent: the cases of stopped owners and members are left out.
   */
  freeze?(broker: Broker): void | Promise<void>;
  /** Lets a client go on. */
  thaw?(broker: Broker): void | Promise<void>;
  /**
   * Cuts the client's connection at the next request by which one of its producers ends a transaction (EndTxn), once. The client may connect again at once, and may
   * repeat the request. Absent: these cases are left out.
   */
  cut?(broker: Broker, when: CutWhen): void | Promise<void>;
  /** Compacts what can be compacted of a topic with `cleanup.policy=compact`, and waits for it. Absent: these cases are left out. */
  compact?(topic: string): Promise<void>;
}

const allCases: readonly BrokerCase[] = [
  ...topicCases,
  ...recordCases,
  ...transactionCases,
  ...takeoverCases,
  ...fetchingCases,
  ...groupCases,
  ...stoppedMemberCases,
  ...staticMemberCases,
];

/**
 * The conformance suite of the broker port: every adapter of `Broker` passes it.
 *
 * @param harness - Its methods are called by the cases only, so it may be given before its broker runs.
 * @example
 * ```ts
 * import test from 'node:test';
 * import { brokerConformance } from 'weir-streams/testing';
 * import { connectMyBroker } from './my-broker.ts';
 *
 * const harness = { connect: () => connectMyBroker('127.0.0.1:9092'), sessionTimeoutMs: 6000 };
 * for (const { title, run } of brokerConformance(harness)) test(title, run);
 * ```
 */
export function brokerConformance(harness: BrokerConformanceHarness): readonly ConformanceCase[] {
  return allCases
    .filter(([, , needs]) => needs === undefined || harness[needs] !== undefined)
    .map(([title, check]) => ({ title, run: () => withKit(harness, check) }));
}

async function withKit(harness: BrokerConformanceHarness, check: (kit: BrokerKit) => Promise<void>): Promise<void> {
  const kit = new BrokerKit(harness);
  try {
    await check(kit);
  } finally {
    await kit.close();
  }
}
