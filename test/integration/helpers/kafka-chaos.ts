import { cp, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { ExecutionContext } from 'ava';
import type { Broker } from '../../../src/clients/broker.ts';
import { type InFlight, KafkaApplication } from './kafka-application.ts';
import type { KafkaPart } from './kafka-clients.ts';
import { type FaultPlace, faults, isInFlight } from './kafka-faults.ts';
import { ProducedFiles } from './kafka-produced.ts';
import { madeData, seededRandom } from './made-data.ts';
import { RecountPark } from './recount-park.ts';
import { Recount } from './recount-statistics.ts';
import { weir } from './weir.ts';

/** What is to happen. */
export interface ChaosOptions {
  readonly seed: number;
  readonly rounds: number;
  /** Of the events. */
  readonly partitions: number;
  /** Settings of the instances: NAME=VALUE. */
  readonly settings: readonly string[];
}

const sessionTimeoutMs = 1500;
const eventsPerDay = 8640;
/** What happens twice as often as the rest. */
const more = ['one killed', 'all killed'];

/**
 * One application that counts on and on while things are broken: each round it gets a day of events or two, at a pace, has something done to it meanwhile, and is mended.
 */
export class Chaos {
  readonly folder: string;
  readonly data: string;
  readonly application: KafkaApplication;
  readonly truth: Recount;
  /** How many instances there are now. */
  count = 2;
  readonly #t: ExecutionContext;
  readonly #options: ChaosOptions;
  readonly #kafka: KafkaPart;
  readonly #broker: Broker;
  readonly #random: () => number;
  readonly #seen: InFlight[] = [];
  readonly #names: readonly string[];
  #produced: ProducedFiles | undefined;
  #files: string[] = [];
  #sent: string | undefined;

  private constructor(
    t: ExecutionContext,
    kafka: KafkaPart,
    options: ChaosOptions,
    place: { readonly folder: string; readonly data: string; readonly truth: Recount },
  ) {
    this.#t = t;
    this.#options = options;
    this.#kafka = kafka;
    this.folder = place.folder;
    this.data = place.data;
    this.truth = place.truth;
    this.#random = seededRandom(options.seed);
    const brokers = kafka.server.bootstrap;
    this.#broker = kafka.connect({ bootstrapServers: [brokers] });
    this.application = new KafkaApplication({
      ...{ brokers, broker: this.#broker, applicationId: 'chaos', folder: place.folder },
      settings: [`session.timeout.ms=${sessionTimeoutMs}`, 'heartbeat.interval.ms=300', ...options.settings],
    });
    t.teardown(() => this.#end());
    const only = process.env['CHAOS_FAULTS']?.split(',');
    this.#names = shuffled(only ?? [...Object.keys(faults), ...more], options.rounds, this.#random);
  }

  /** Makes the data, loads the park and starts the producer. */
  static async start(t: ExecutionContext, kafka: KafkaPart, options: ChaosOptions): Promise<Chaos> {
    const { seed, rounds, partitions, settings } = options;
    t.log(
      `seed ${seed} (CHAOS_SEED), ${rounds} rounds (CHAOS_ROUNDS), ${partitions} partitions, ${settings.join(', ')}`,
    );
    const folder = await mkdtemp(join(tmpdir(), 'weir-chaos-'));
    const made = { damage: 0, late: true, meters: 60, concentrators: 10 };
    const data = await madeData({ ...made, days: 2 * rounds, eventsPerDay, seed });
    const truth = new Recount(await RecountPark.read(`${data}/park`));
    const chaos = new Chaos(t, kafka, options, { folder, data, truth });
    const brokers = kafka.server.bootstrap;
    await weir(['park', 'load', '--brokers', brokers, '--park', `${data}/park`]);
    const words = ['--brokers', brokers, '--partitions', String(partitions), '--speed', '100000x'];
    chaos.#produced = await ProducedFiles.start(words, folder, truth);
    chaos.#files = (await readdir(`${data}/events`)).sort();
    while ((await chaos.#broker.admin.partitionCounts(['grid-events'])).size === 0) await delay(50);
    return chaos;
  }

  /** Breaks something, mends it, and waits until all is counted. Returns what was broken. */
  async round(round: number): Promise<string> {
    const name = this.#names[round]!;
    const { application, count } = this;
    for (let i = count; i < application.instances.length; i++)
      if (application.instances[i] !== undefined) this.#t.is(await application.stop(i), 0);
    await application.allReady(count);
    const place: FaultPlace = {
      application,
      server: this.#kafka.server,
      produced: this.#produced!,
      count,
      sessionTimeoutMs,
      random: this.#random,
      log: (text) => this.#t.log(`round ${round + 1}, ${name}: ${text}`),
      load: () => this.#load(),
    };
    await this.#load();
    this.#seen.push(...(await faults[name]!(place)));
    for (let i = 0; i < count; i++) if (application.instances[i]?.running !== true) application.start(i);
    await this.#produced!.committed(this.#sent!);
    await application.caughtUp();
    return `after round ${round + 1}, ${name} (seed ${this.#options.seed})`;
  }

  /** Folder of the event files that were sent. */
  get done(): string {
    return this.#produced!.done;
  }

  /** An instance of chance. */
  someInstance(): number {
    return Math.floor(this.#random() * this.count);
  }

  /** Says how often something was in flight, and fails if that was rare. */
  judge(): void {
    const inside = this.#seen.filter(isInFlight).length;
    this.#t.log(
      `${this.truth.rows} events; ${this.#seen.length} times something was broken, ${inside} of them with records in flight`,
    );
    this.#t.true(inside >= (this.#seen.length * 2) / 3, 'two thirds of the faults hit records in flight');
  }

  /** Hands the next day to the producer, and returns when some of it has been sent. */
  async #load(): Promise<void> {
    const before = await this.#ends();
    this.#sent = await this.#produced!.hand(join(this.data, 'events', this.#files.shift()!));
    const wanted = before + this.#random() * 0.7 * eventsPerDay;
    for (const end = Date.now() + 60_000; (await this.#ends()) < wanted; await delay(10))
      if (Date.now() > end || !this.#produced!.process.running)
        throw new Error(`nothing is sent: ${this.#produced!.process.stderr.slice(-3000)}`);
  }

  async #ends(): Promise<number> {
    const sources = Array.from({ length: this.#options.partitions }, (_, partition) => ({
      topic: 'grid-events',
      partition,
    }));
    return (await this.#broker.admin.offsets(sources, 'latest')).reduce((sum, end) => sum + end, 0);
  }

  async #end(): Promise<void> {
    await this.application.end();
    await this.#produced?.process.signal('SIGKILL');
    if (this.#t.passed) {
      await Promise.all([this.folder, this.data].map((folder) => rm(folder, { recursive: true, force: true })));
      return;
    }
    await this.application.writeLogs(join(this.folder, 'logs'));
    await cp(join(this.#kafka.server.dataDir, 'kafka.log'), join(this.folder, 'logs', 'kafka.log'));
    this.#t.log(`logs and state are left in ${this.folder}, the data in ${this.data}`);
  }
}

/** Every name equally often, in an order of chance. */
function shuffled(names: readonly string[], length: number, random: () => number): readonly string[] {
  const all = Array.from({ length }, (_, i) => names[i % names.length]!);
  for (let i = all.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [all[i], all[j]] = [all[j]!, all[i]!];
  }
  return all;
}
