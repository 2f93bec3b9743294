import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Broker } from '../../../src/clients/broker.ts';
import { MemoryCluster } from '../../../src/clients/memory/memory-broker.ts';
import { messageOf } from '../../../src/common/errors.ts';
import type { Logger } from '../../../src/common/logger.ts';
import { digestOf } from '../../../src/runtime/digest.ts';
import { changelogParts } from '../../../src/runtime/kafka/changelog-parts.ts';
import { chaosTopology, placesValue, type Truth, truthOf } from './chaos-model.ts';
import { type Action, type CutRequest, type Schedule, shownSchedule } from './chaos-schedule.ts';
import { Disk, type DiskImage } from './disk.ts';
import {
  app,
  byItself,
  inputsOf,
  isDrained,
  kill,
  messages,
  NotOwned,
  newClient,
  ownedParts,
  shownRows,
  sleep,
  specOf,
  type TestClient,
  until,
  whileOwned,
} from './kit.ts';

const mostClients = 3;
const topology = chaosTopology();

interface Trap {
  readonly request: CutRequest;
  readonly when: 'before' | 'after';
  left: number;
}

/** What a run showed beside its results: whether it was a test at all. */
export interface RunReport {
  readonly seed: number;
  readonly done: ReadonlyMap<string, number>;
  readonly events: number;
  readonly late: number;
}

/** One run of a schedule: what happens is said by the schedule, what must come of it by the topics. */
export class ChaosRun {
  readonly #schedule: Schedule;
  readonly #guarantee: 'exactly_once' | 'at_least_once';
  readonly #cluster: MemoryCluster;
  readonly #alive: TestClient[] = [];
  readonly #disks: { readonly disk: Disk; images: DiskImage[]; used: boolean }[] = [];
  readonly #traps = new Map<Broker, Trap>();
  readonly #background: Promise<unknown>[] = [];
  readonly #done = new Map<string, number>();
  readonly #log: string[] = [];
  readonly #began = Date.now();
  #down = 0;

  constructor(schedule: Schedule, guarantee: 'exactly_once' | 'at_least_once' = 'exactly_once') {
    this.#schedule = schedule;
    this.#guarantee = guarantee;
    this.#cluster = new MemoryCluster({
      markerDelayMs: schedule.markerDelayMs,
      onRequest: (request, broker) => this.#spring(request, broker),
    });
  }

  /** @throws Error with seed, schedule and what happened, if a result is not what it must be. */
  async run(): Promise<RunReport> {
    const { seed, partitions, placePartitions, steps } = this.#schedule;
    this.#cluster.createTopic('events', partitions);
    this.#cluster.createTopic('places', placePartitions, { 'cleanup.policy': 'compact' });
    for (const topic of ['more', 'copy', 'final']) this.#cluster.createTopic(topic, partitions);
    try {
      await this.#start(0, 'as it is');
      for (const { waitMs, action } of steps) {
        if (waitMs > 0) await sleep(waitMs);
        this.#note(action.do === 'events' ? `events ${action.events.length}` : JSON.stringify(action));
        await this.#act(action);
      }
      const truth = await this.#untilChecked(() => truthOf(this.#cluster, partitions, placePartitions));
      const events = [...truth.events.values()].flat(2).length;
      await this.#end();
      return { seed, done: this.#done, events, late: truth.late.length };
    } catch (error) {
      const what = error instanceof Error ? (error.stack ?? error.message) : String(error);
      throw new Error(
        `TEST_SEED=${seed} (${this.#guarantee}): ${what}\n${shownSchedule(this.#schedule)}\nwhat happened:\n${this.#log.join('\n')}`,
      );
    } finally {
      for (const client of this.#alive) kill(this.#cluster, client);
      for (const { disk } of this.#disks) disk.remove();
    }
  }

  #note(what: string): void {
    this.#log.push(`${String(Date.now() - this.#began).padStart(6)} ${what}`);
  }

  #count(what: string): void {
    this.#done.set(what, (this.#done.get(what) ?? 0) + 1);
  }

  async #act(action: Action): Promise<void> {
    switch (action.do) {
      case 'events':
        for (const { topic, meter, value, timeMs } of action.events)
          this.#cluster.write(topic, meter.charCodeAt(0) % this.#schedule.partitions, [
            { key: meter, value, timestamp: timeMs },
          ]);
        return;
      case 'places':
        for (const { meter, history } of action.changes)
          this.#cluster.write('places', meter.charCodeAt(0) % this.#schedule.placePartitions, [
            { key: meter, value: placesValue(history) },
          ]);
        return this.#count('places');
      case 'calm':
        return this.#calm();
      case 'compact':
        this.#compact();
        return this.#count('compact');
      case 'down':
        this.#down++;
        this.#cluster.down();
        this.#background.push(
          sleep(action.ms).then(() => {
            if (--this.#down === 0) this.#cluster.up();
          }),
        );
        return this.#count('down');
      case 'stall': {
        // The machine stands still, brokers and all.
        const end = Date.now() + action.ms;
        while (Date.now() < end);
        return this.#count('stall');
      }
      case 'start':
        if (this.#alive.length >= mostClients) return;
        return this.#start(action.disk, action.state);
      default:
        return this.#disturb(action);
    }
  }

  /** Waits until those that live are at work, but not for ever: the schedule may have stopped one. */
  async #calm(): Promise<void> {
    const end = Date.now() + 2 * this.#schedule.sessionTimeoutMs;
    while (Date.now() < end && !this.#alive.every(({ streams }) => streams.state === 'RUNNING')) await sleep(2);
  }

  #compact(): void {
    this.#cluster.compact('places');
    try {
      for (const { name } of topology.stores) this.#cluster.compact(`${app}-${name}-changelog`);
    } catch {
      // Nobody has created them yet.
    }
  }

  async #disturb(action: Extract<Action, { readonly which: number }>): Promise<void> {
    if (this.#alive.length === 0) return;
    const client = this.#alive[action.which % this.#alive.length]!;
    const { broker, disk } = client;
    this.#count(action.do);
    switch (action.do) {
      case 'kill':
        return this.#kill(client);
      case 'kill at':
        this.#traps.set(broker, { request: action.request, when: action.when, left: action.nth });
        return;
      case 'close':
        this.#gone(client);
        // While the cluster is down a close may wait for it: other things happen meanwhile.
        this.#background.push(this.#close(client));
        return;
      case 'freeze':
        this.#cluster.pause(broker);
        this.#background.push(sleep(action.ms).then(() => this.#cluster.resume(broker)));
        return;
      case 'cut':
        this.#cluster.cut(broker, action.when, action.request);
        return;
      case 'image': {
        const place = this.#disks.find((other) => other.disk === disk)!;
        place.images.push(await disk.image());
        return;
      }
    }
  }

  async #close(client: TestClient): Promise<void> {
    await client.streams.close();
    await client.broker.close();
    this.#free(client);
  }

  #kill(client: TestClient): void {
    this.#gone(client);
    kill(this.#cluster, client);
    this.#free(client);
  }

  #gone(client: TestClient): void {
    const at = this.#alive.indexOf(client);
    if (at >= 0) this.#alive.splice(at, 1);
    this.#traps.delete(client.broker);
  }

  #free({ disk }: TestClient): void {
    const place = this.#disks.find((other) => other.disk === disk)!;
    if (disk.openPlaces.length > 0) throw new Error(`databases are left open: ${disk.openPlaces.join(', ')}`);
    place.used = false;
  }

  async #start(which: number, state: Extract<Action, { readonly do: 'start' }>['state']): Promise<void> {
    const free = this.#disks.filter(({ used }) => !used);
    const place = free[which % (free.length + 1)] ?? { disk: new Disk(), images: [], used: false };
    if (!this.#disks.includes(place)) this.#disks.push(place);
    const { disk, images } = place;
    place.used = true;
    const older = images[which % Math.max(1, images.length)];
    if (state === 'older' && older !== undefined) {
      await disk.restore(older);
      this.#count('older state');
    }
    if (state === 'erased') disk.erase();
    if (state === 'a task erased') this.#eraseTask(disk, which);
    this.#count(`start ${state}`);
    const { latencyMs, standbys, commitIntervalMs, cacheBytes, buffered, idleMs, sessionTimeoutMs } = this.#schedule;
    const name = `client ${this.#disks.indexOf(place)}`;
    const client = newClient(byItself, this.#cluster, topology, {
      disk,
      connect: { clientId: name.replace(' ', '-'), latencyMs },
      guarantee: this.#guarantee,
      numStandbyReplicas: standbys,
      commitIntervalMs,
      statestoreCacheMaxBytes: cacheBytes,
      bufferedRecordsPerPartition: buffered,
      maxTaskIdleMs: idleMs,
      sessionTimeoutMs,
      repartitionPurgeIntervalMs: 40,
      heartbeatIntervalMs: Math.floor(sessionTimeoutMs / 5),
      rebalanceTimeoutMs: 800,
      logger: this.#loggerOf(name),
    });
    this.#alive.push(client);
    this.#background.push(
      client.streams.start().catch((error: unknown) => {
        if (this.#alive.includes(client)) this.#note(`${name}: start failed: ${messageOf(error)}`);
      }),
    );
  }

  #eraseTask(disk: Disk, which: number): void {
    try {
      const tasks = readdirSync(join(disk.stateDir, 'tasks')).sort();
      if (tasks.length > 0) disk.erase(join('tasks', tasks[which % tasks.length]!));
    } catch {
      // There is no state yet.
    }
  }

  #loggerOf(name: string): Logger {
    const note = (fields: object, message: string): void => {
      const { error, ...rest } = fields as { error?: unknown };
      this.#note(`  ${name}: ${message} ${JSON.stringify(rest)}${error === undefined ? '' : ` ${messageOf(error)}`}`);
    };
    return { debug() {}, info: note, warn: note, error: note };
  }

  /** Kills a client at a request: before it is carried out, or after that and before its answer. */
  #spring(request: string, broker: Broker): void {
    const trap = this.#traps.get(broker);
    if (trap === undefined || trap.request !== request || --trap.left > 0) return;
    const client = this.#alive.find((other) => other.broker === broker);
    this.#traps.delete(broker);
    if (client === undefined) return;
    const spring = (): void => {
      if (!this.#alive.includes(client)) return;
      this.#note(`${request} kills ${trap.when}`);
      this.#count(`killed ${trap.when} ${request}`);
      this.#kill(client);
    };
    if (trap.when === 'before') spring();
    // The request is carried out in this turn; its answer is on its way for a turn at least.
    else setImmediate(spring);
  }

  /** A busy machine may let a session end in the midst of the checks: then they begin again. */
  async #untilChecked(truth: () => Truth): Promise<Truth> {
    for (let left = 10; ; left--) {
      await this.#settle();
      try {
        const found = truth();
        await this.#check(found);
        return found;
      } catch (error) {
        if (!(error instanceof NotOwned) || left === 0) throw error;
        this.#note(`checked again: ${error.message}`);
      }
    }
  }

  /** Peace: everything is up, somebody is there, and all that is in the topics is processed. */
  async #settle(): Promise<void> {
    this.#traps.clear();
    await within(Promise.all(this.#background), 20_000, 'what was begun has ended: each start and each close');
    if (this.#alive.length === 0) await this.#start(0, 'as it is');
    this.#note('peace');
    const broker = this.#cluster.connect();
    const { admin } = broker;
    const settled = async (): Promise<boolean> => {
      for (const { streams } of this.#alive)
        if (streams.state === 'ERROR') throw new Error(`a client failed: ${messageOf(streams.failure)}`);
      if (!this.#alive.every(({ streams }) => streams.state === 'RUNNING')) return false;
      return (await isDrained(admin, topology)) && (await this.#globalsJoined(admin));
    };
    for (let seen = 0; seen < 2; ) {
      await until(settled, 'all is processed', 20_000).catch(async (error: unknown) => {
        throw new Error(`${messageOf(error)}\n${await this.#situation(admin)}`);
      });
      await sleep(25);
      seen = (await settled()) ? seen + 1 : 0;
    }
    await broker.close();
  }

  /** Where everybody stands: for whoever reads of a run that does not end. */
  async #situation(admin: Broker['admin']): Promise<string> {
    const inputs = await inputsOf(admin, topology);
    const ends = await admin.offsets(inputs, 'latest');
    const stable = await admin.offsets(inputs, 'stable');
    const committed = await admin.committed(app, inputs);
    const lines = inputs.map(
      ({ topic, partition }, i) =>
        `${topic} ${partition}: end ${ends[i]}, stable ${stable[i]}, committed ${committed[i]?.offset} ${committed[i]?.metadata}`,
    );
    for (const { streams } of this.#alive)
      lines.push(
        `${streams.state} ${JSON.stringify(streams.kafkaStats().tasks)} ${JSON.stringify(streams.kafkaStats().globals)}`,
      );
    return lines.join('\n');
  }

  /** Whether all tasks that have read events have committed that they have seen the last of the places. */
  async #globalsJoined(admin: Broker['admin']): Promise<boolean> {
    const { partitions, placePartitions } = this.#schedule;
    const ends = await admin.offsets(
      Array.from({ length: placePartitions }, (_, partition) => ({ topic: 'places', partition })),
      'stable',
    );
    const committed = await admin.committed(
      app,
      Array.from({ length: partitions }, (_, partition) => ({ topic: 'events', partition })),
    );
    return committed.every((one) => {
      if (one === undefined) return true;
      const { g } = JSON.parse(one.metadata) as { g: { places?: number[] } };
      return ends.every((end, partition) => (g.places?.[partition] ?? 0) >= end);
    });
  }

  async #check(truth: Truth): Promise<void> {
    const broker = this.#cluster.connect();
    const problems: string[] = [];
    const exact = this.#guarantee === 'exactly_once';
    const changelogs = new Map(
      await Promise.all(
        topology.stores.map(async (spec) => [spec.name, await changelogParts(broker, app, spec)] as const),
      ),
    );
    await broker.close();
    for (const [store, expected] of truth.tables) {
      const spec = specOf(topology, store);
      const found = await whileOwned(this.#alive, [store], () => shownRows(spec, ownedParts(this.#alive, store)));
      if (exact) problems.push(...differences(`store ${store}`, found, expected));
      else if (store === 'day-meter') problems.push(...tooLow(`store ${store}`, found, expected));
      const written = await shownRows(spec, changelogs.get(store)!);
      problems.push(...differences(`changelog ${store} against the store`, written, found));
    }
    const names = topology.stores.map(({ name }) => name);
    const ofStores = await whileOwned(this.#alive, names, () =>
      digestOf(topology.stores, ({ name }) => ownedParts(this.#alive, name)),
    );
    const ofChangelogs = await digestOf(topology.stores, ({ name }) => changelogs.get(name)!);
    if (ofStores.all !== ofChangelogs.all) problems.push('the digests of stores and changelogs differ');
    const { partitions } = this.#schedule;
    const values = (topic: string): string[] =>
      messages(this.#cluster, topic, partitions).map((message) => message.slice(message.indexOf('=') + 1));
    const copies = new Map<string, string[]>();
    for (const message of messages(this.#cluster, 'copy', partitions)) {
      const meter = message.slice(0, 1);
      copies.set(meter, [...(copies.get(meter) ?? []), message.slice(2)]);
    }
    if (exact) {
      for (const [meter, topics] of truth.events) problems.push(...numbersOf(meter, copies.get(meter) ?? [], topics));
      problems.push(...differences('final results', messages(this.#cluster, 'final', partitions).sort(), truth.final));
      problems.push(...differences('late letters', values(`${app}-late`).sort(), truth.late));
      problems.push(...differences('dead letters', values(`${app}-dead-letters`).sort(), truth.dead));
    }
    if (problems.length > 0) throw new Error(`wrong results:\n${problems.slice(0, 40).join('\n')}`);
  }

  async #end(): Promise<void> {
    for (const client of [...this.#alive]) {
      this.#gone(client);
      await this.#close(client);
    }
  }
}

async function within(work: Promise<unknown>, timeoutMs: number, what: string): Promise<void> {
  let over = false;
  const done = (): void => {
    over = true;
  };
  work.then(done, done);
  await until(() => over, what, timeoutMs);
  await work;
}

function differences(what: string, found: readonly string[], expected: readonly string[]): string[] {
  const missing = expected.filter((row) => !found.includes(row));
  const extra = found.filter((row) => !expected.includes(row));
  const problems = [...missing.map((row) => `${what}: missing ${row}`), ...extra.map((row) => `${what}: wrong ${row}`)];
  if (problems.length === 0 && found.join('|') !== expected.join('|'))
    problems.push(`${what}: ${found.join('|')} instead of ${expected.join('|')}`);
  return problems;
}

/** Each event of a meter once, the events of each topic in their order, and numbers without a gap. */
function numbersOf(meter: string, copies: readonly string[], topics: readonly (readonly string[])[]): string[] {
  const ids = copies.map((copy) => copy.split('#')[0]!);
  const numbers = copies.map((copy) => copy.split('#')[1]!);
  return [
    ...differences(
      `numbers of ${meter}`,
      numbers,
      numbers.map((_, i) => String(i + 1)),
    ),
    ...topics.flatMap((expected, topic) =>
      differences(
        `copies of ${meter} from topic ${topic}`,
        ids.filter((id) => expected.includes(id)),
        expected,
      ),
    ),
    ...ids.filter((id) => !topics.flat().includes(id)).map((id) => `copies of ${meter}: nobody wrote ${id}`),
  ];
}

function tooLow(what: string, found: readonly string[], expected: readonly string[]): string[] {
  const counts = new Map(found.map((row) => row.split(' ') as [string, string]));
  return expected.flatMap((row) => {
    const [key, count] = row.split(' ') as [string, string];
    const has = Number(counts.get(key) ?? 0);
    return has >= Number(count) ? [] : [`${what}: ${key} is ${has}, and must be at least ${count}`];
  });
}
