import type { ExecutionContext } from 'ava';
import type { Broker } from '../../../src/clients/broker.ts';
import { openKafkaBroker } from '../../../src/clients/kafka/kafka-broker.ts';
import { StreamsError } from '../../../src/common/errors.ts';
import { ScriptedBroker } from './scripted-broker.ts';

/** A scripted broker and a client of it; both end with the test. */
export async function scripted(
  t: ExecutionContext,
  timeoutMs = 5000,
): Promise<{ script: ScriptedBroker; broker: Broker }> {
  const script = await ScriptedBroker.start();
  const broker = openKafkaBroker({ bootstrapServers: [script.address], clientId: 'test', timeoutMs });
  t.teardown(async () => {
    await broker.close();
    await script.stop();
  });
  return { script, broker };
}

/** The code and the text that a call fails with. */
export async function failure(t: ExecutionContext, call: Promise<unknown>): Promise<{ code: string; message: string }> {
  const error = await t.throwsAsync(call, { instanceOf: StreamsError });
  return error as StreamsError;
}

/** Waits for what happens sooner or later. */
export async function until(isTrue: () => boolean): Promise<void> {
  const end = Date.now() + 20_000;
  while (!isTrue()) {
    if (Date.now() > end) throw new Error(`waited in vain for ${isTrue}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

export const text = (value: string): Uint8Array => new Uint8Array(Buffer.from(value));
