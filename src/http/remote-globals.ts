import { StreamsError } from '../common/errors.ts';
import type { KafkaGlobalStats } from '../runtime/kafka/kafka-stats.ts';
import { askRemote, type RemoteOptions } from './remote-answer.ts';

/**
 * How far another instance's copies of the global tables are, as its `/tasks` says: by topic, a position for each partition.
 *
 * @param url - Of the instance, such as `http://10.0.0.7:8080`.
 * @throws StreamsError as askRemote (remote-answer.ts) says; `STREAMS_STATE_INCOMPATIBLE` too from an instance that does not say it.
 */
export async function remoteGlobals(
  url: string,
  options: RemoteOptions = {},
): Promise<Readonly<Record<string, readonly number[]>>> {
  const address = new URL('/tasks', url);
  const { body } = await askRemote(address, 'application/json', options);
  const { globals } = (await body.json()) as { readonly globals?: readonly KafkaGlobalStats[] };
  if (globals === undefined)
    throw new StreamsError(
      'STREAMS_STATE_INCOMPATIBLE',
      `${address.origin} does not say how far its global tables are. Start an instance of this version there.`,
    );
  const positions: Record<string, number[]> = {};
  for (const { topic, partition, position } of globals) {
    positions[topic] ??= [];
    positions[topic][partition] = position;
  }
  return positions;
}
