import type { Broker, BrokerAdmin } from '../../clients/broker.ts';
import { StreamsError } from '../../common/errors.ts';
import { transactionalId } from './internal-names.ts';

/**
 * Makes sure that no instance writes any more, not even one that was stopped for long and wakes: its transactions are refused from now on, and those that are open are over.
 *
 * @throws StreamsError `STREAMS_INPUT_REFUSED` if one has started meanwhile
 */
export async function fence(broker: Broker, applicationId: string, taskIds: readonly string[]): Promise<void> {
  for (const taskId of taskIds) {
    const producer = broker.producer({ transactionalId: transactionalId(applicationId, taskId), transactional: true });
    try {
      await producer.init();
    } finally {
      await producer.close();
    }
  }
  await refuseWhileRunning(broker.admin, applicationId);
}

/** Whether the application's group exists. @throws StreamsError `STREAMS_INPUT_REFUSED` if it has members. */
export async function refuseWhileRunning(admin: BrokerAdmin, applicationId: string): Promise<boolean> {
  const { state, members } = await admin.describeGroup(applicationId);
  if (members.length > 0) {
    const who = members.map(({ clientId, host }) => `${clientId} at ${host.replace(/^\//, '')}`).join(', ');
    throw new StreamsError(
      'STREAMS_INPUT_REFUSED',
      `application ${applicationId} runs: its group has ${members.length} ${members.length === 1 ? 'member' : 'members'} (${who}). Stop every instance first; one that was killed, or that has a group.instance.id, is gone after session.timeout.ms.`,
    );
  }
  return state !== 'Dead';
}
