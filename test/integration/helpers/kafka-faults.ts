import { cp, rm } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import type { KafkaServer } from '../../helpers/kafka-broker.ts';
import type { InFlight, KafkaApplication } from './kafka-application.ts';
import type { ProducedFiles } from './kafka-produced.ts';

/** Where faults happen. */
export interface FaultPlace {
  readonly application: KafkaApplication;
  readonly server: KafkaServer;
  readonly produced: ProducedFiles;
  /** How many instances there are to be. */
  readonly count: number;
  readonly sessionTimeoutMs: number;
  readonly random: () => number;
  /** Sends more, and returns when some of it was sent. */
  readonly load: () => Promise<void>;
  /** Says what is done. */
  readonly log: (text: string) => void;
}

/** What a fault saw: what was in hand each time that something was broken. */
export type Broken = InFlight[];

export type Fault = (place: FaultPlace) => Promise<Broken>;

/** What can happen to an application, by name. Each leaves processes missing or running: the caller starts what is missing. */
export const faults: Readonly<Record<string, Fault>> = {
  'one killed': async (place) => {
    const broken = [await kill(place, someInstance(place))];
    await upTo(place, 1500);
    return broken;
  },
  'all killed': async (place) => {
    const seen = await look(place, 'kill -9 of all');
    await Promise.all(Array.from({ length: place.count }, (_, i) => place.application.kill(i)));
    await upTo(place, 500);
    return [seen];
  },
  'the broker killed': async (place) => {
    const seen = await look(place, 'kill -9 of the broker');
    await allStopped(place, true);
    await decided(place);
    await place.server.kill('SIGKILL');
    await allStopped(place, false);
    await upTo(place, 500);
    await place.server.start();
    return [seen];
  },
  'one stopped past its session': async (place) => {
    const instance = someInstance(place);
    const seen = await look(place, `SIGSTOP of instance ${instance}`);
    const process = place.application.instances[instance]!;
    await process.signal('SIGSTOP');
    await delay(place.sessionTimeoutMs + 200 + place.random() * 1000);
    await process.signal('SIGCONT');
    return [seen];
  },
  'state deleted': async (place) => {
    const instance = someInstance(place);
    const broken = [await kill(place, instance)];
    await place.application.deleteState(instance);
    place.log(`the state of instance ${instance} is deleted`);
    await upTo(place, 500);
    return broken;
  },
  'old state put back': async (place) => {
    const { application } = place;
    const instance = someInstance(place);
    const broken = [await kill(place, instance)];
    const state = application.stateOf(instance);
    const copy = `${state}.old`;
    await rm(copy, { recursive: true, force: true });
    await cp(state, copy, { recursive: true });
    await application.start(instance).ready();
    await place.load();
    broken.push(await kill(place, instance));
    await rm(state, { recursive: true });
    await cp(copy, state, { recursive: true });
    place.log(`instance ${instance} gets the state back that it had when it was killed first`);
    return broken;
  },
  'two killed one after the other': async (place) => {
    const first = someInstance(place);
    const broken = [await kill(place, first)];
    place.application.start(first);
    await place.load();
    await upTo(place, 1000);
    const second = place.random() < 0.5 ? first : someInstance(place);
    broken.push(await kill(place, second));
    return broken;
  },
  'the producer killed': async (place) => {
    const seen = await look(place, 'kill -9 of the producer');
    await place.produced.restart();
    return [seen];
  },
};

function someInstance({ random, count }: FaultPlace): number {
  return Math.floor(random() * count);
}

async function upTo({ random }: FaultPlace, ms: number): Promise<void> {
  await delay(random() * ms);
}

async function kill(place: FaultPlace, instance: number): Promise<InFlight> {
  const seen = await look(place, `kill -9 of instance ${instance} of ${place.count}`);
  await place.application.kill(instance);
  return seen;
}

/** Stops the processes of the application and of its input, or lets them go on. */
async function allStopped({ application, produced }: FaultPlace, stopped: boolean): Promise<void> {
  const signal = stopped ? 'SIGSTOP' : 'SIGCONT';
  await Promise.all([...application.instances, produced.process].map((process) => process?.signal(signal)));
}

/**
 * Waits until no transaction is between the decision about it and its markers; those that are open stay open. A cluster of one broker of version 4.3.1 that is killed in between does not
 * write the markers when it is started again: it does not know itself as a leader yet, takes the partitions for deleted and leaves them out (KAFKA-20734). No client sees the end of
 * such a transaction.
 */
async function decided({ application, log }: FaultPlace): Promise<void> {
  let before = await application.openEnds();
  for (let same = 0; same < 2; ) {
    await delay(80);
    const now = await application.openEnds();
    same = now.join() === before.join() ? same + 1 : 0;
    before = now;
  }
  log(`${before.length} partitions are in open transactions when the broker dies`);
}

/** Waits a moment for something to be in hand, if there is nothing. */
async function look({ application, log }: FaultPlace, what: string): Promise<InFlight> {
  let seen = await application.inFlight();
  for (let i = 0; i < 20 && !isInFlight(seen); i++) {
    await delay(20);
    seen = await application.inFlight();
  }
  const { committed, sources, internal, open } = seen;
  const inHand = `${sources} records of sources, ${internal} between tasks, ${open} partitions in open transactions`;
  log(`${what}: committed ${committed.join('/')}; in flight ${inHand}`);
  return seen;
}

/** Whether something was in hand. */
export function isInFlight({ sources, internal, open }: InFlight): boolean {
  return sources > 0 || internal > 0 || open > 0;
}
