import { randomBytes } from 'node:crypto';
import test, { type ExecutionContext } from 'ava';
import type { Broker } from '../../src/clients/broker.ts';
import { openKafkaBroker } from '../../src/clients/kafka/kafka-broker.ts';
import { brokerConformance } from '../../src/testing/broker-conformance.ts';
import { type KafkaServer, startKafka } from '../helpers/kafka-broker.ts';
import { PartMissing, skipWithout } from '../helpers/parts.ts';

let kafka: KafkaServer | undefined;
let missing: PartMissing | undefined;
try {
  kafka = await startKafka({
    throughProxy: true,
    properties: { 'group.min.session.timeout.ms': '500', 'log.cleaner.backoff.ms': '100' },
  });
} catch (error) {
  if (!(error instanceof PartMissing)) throw error;
  missing = error;
}
test.after.always(() => kafka?.stop());

/** A test that needs the broker. */
function onKafka(
  title: string,
  run: (t: ExecutionContext, kafka: KafkaServer) => Promise<void>,
  declare: (title: string, run: (t: ExecutionContext) => Promise<void>) => void = test,
): void {
  declare(title, async (t) => (kafka === undefined ? skipWithout(t, missing!) : run(t, kafka)));
}

const clients = new Map<Broker, string>();

function connect(server: KafkaServer): Broker {
  const clientId = `client-${randomBytes(6).toString('hex')}`;
  const broker = openKafkaBroker({ bootstrapServers: [server.proxied!], clientId, timeoutMs: 30_000 });
  clients.set(broker, clientId);
  return broker;
}

const endTxn = 26;
const suite = brokerConformance({
  connect: async () => connect(kafka!),
  sessionTimeoutMs: 1500,
  patienceMs: 60_000,
  freeze: (broker) => kafka!.proxy!.freeze(clients.get(broker)!),
  thaw: (broker) => kafka!.proxy!.thaw(clients.get(broker)!),
  cut: (broker, when) => {
    void kafka!.proxy!.cutOnce(endTxn, when, clients.get(broker)!);
  },
});
// Sessions are short: their members need the machine for themselves.
const hasSessions = /member|leader|rejoin/;
for (const { title, run } of suite) {
  const conforms = async (t: ExecutionContext): Promise<void> => {
    await run();
    t.pass();
  };
  onKafka(`conformance: ${title}`, conforms, hasSessions.test(title) ? test.serial : test);
}
