import test from 'ava';
import { brokerConformance } from '../../src/testing/broker-conformance.ts';
import { KafkaPart } from './helpers/kafka-clients.ts';

const kafka = await KafkaPart.start({ properties: { 'group.min.session.timeout.ms': '500' } });

const endTxn = 26;
const suite = brokerConformance({
  connect: async () => kafka.connect(),
  sessionTimeoutMs: 3000,
  patienceMs: 60_000,
  freeze: (broker) => kafka.server.proxy!.freeze(kafka.clientId(broker)),
  thaw: (broker) => kafka.server.proxy!.thaw(kafka.clientId(broker)),
  cut: (broker, when) => {
    void kafka.server.proxy!.cutOnce(endTxn, when, kafka.clientId(broker));
  },
});

// Sessions are short: their members need the machine for themselves.
const hasSessions = /member|leader|rejoin/;
for (const { title, run } of suite) {
  kafka.test(
    `conformance: ${title}`,
    async (t) => {
      await run();
      t.pass();
    },
    hasSessions.test(title) ? test.serial : test,
  );
}
