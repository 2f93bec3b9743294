import type { Broker, BrokerProducer } from '../../../src/clients/broker.ts';

/** What changes something at a broker. */
const writes: ReadonlySet<string> = new Set([
  'setCommitted',
  'deleteTopics',
  'createTopics',
  'deleteRecords',
  'init',
  'flush',
  'commit',
]);

/** A broker as a process sees it that dies at one of its writes, the first of which is 0: before it is carried out, or after that and before its answer. */
export function dyingBroker(broker: Broker, at: number, when: 'before' | 'after'): Broker {
  let count = 0;
  let dead = false;
  const wrapped = <T extends object>(target: T): T =>
    new Proxy(target, {
      get(object, name) {
        const value = Reflect.get(object, name, object) as unknown;
        if (typeof value !== 'function') return value;
        const call = (...args: unknown[]): unknown => (value as (...all: unknown[]) => unknown).apply(object, args);
        if (name === 'close') return call;
        if (!writes.has(String(name))) return (...args: unknown[]) => (dead ? fail() : call(...args));
        return async (...args: unknown[]) => {
          if (dead) fail();
          const dies = count++ === at;
          if (dies) dead = true;
          if (dies && when === 'before') fail();
          const answer = await call(...args);
          if (dies) fail();
          return answer;
        };
      },
    });
  const admin = wrapped(broker.admin);
  return new Proxy(broker, {
    get(object, name) {
      if (name === 'admin') return admin;
      if (name === 'producer')
        return (options: Parameters<Broker['producer']>[0]): BrokerProducer => wrapped(object.producer(options));
      const value = Reflect.get(object, name, object) as unknown;
      return typeof value === 'function' ? (value as (...all: unknown[]) => unknown).bind(object) : value;
    },
  });
}

function fail(): never {
  throw new Error('dead');
}
