import { StreamsError, type StreamsErrorCode } from '../../common/errors.ts';
import { acceptLossOption } from '../../common/remedies.ts';

/** What a topic is to an application. */
export type TopicRole = 'input' | 'repartition' | 'changelog' | 'table';

const codes: Readonly<Record<TopicRole, StreamsErrorCode>> = {
  input: 'STREAMS_INPUT_REFUSED',
  table: 'STREAMS_INPUT_REFUSED',
  repartition: 'STREAMS_INTERNAL_TOPIC',
  changelog: 'STREAMS_INTERNAL_TOPIC',
};

const names: Readonly<Record<TopicRole, string>> = {
  input: 'topic',
  table: 'the topic of a global table,',
  repartition: 'repartition topic',
  changelog: 'changelog',
};

const acceptIt = `Run weir reset and start over to count what the topics hold now; or go on as things are with ${acceptLossOption}: what is lost stays uncounted, and what is read again counts again.`;
const remedies: Readonly<Record<TopicRole, string>> = {
  input: acceptIt,
  table: `Put its records back before the next start. ${acceptIt}`,
  repartition:
    'Records on their way through it are lost. Run weir reset and start over: all is counted again, from the topics.',
  changelog:
    'No copy of the state was touched. weir reset --refill makes the changelog again from copies that are whole; where none is, run weir reset and start over: all is counted again, from the topics.',
};

/** Something that an application stands on is lost, or is not what it was. */
export function lossError(
  role: TopicRole,
  { topic, partition, offset }: { readonly topic: string; readonly partition?: number; readonly offset?: number },
  what: string,
): StreamsError {
  const where = partition === undefined ? '' : ` (partition ${partition})`;
  return new StreamsError(codes[role], `${names[role]} ${topic}${where} ${what}. ${remedies[role]}`, {
    topic,
    ...(partition === undefined ? {} : { partition }),
    ...(offset === undefined ? {} : { offset }),
  });
}

/** A topic is gone. */
export function goneError(role: TopicRole, topic: string): StreamsError {
  if (role === 'changelog' || role === 'repartition')
    return lossError(role, { topic }, 'does not exist any more, though the application has run');
  return new StreamsError(
    'STREAMS_MISSING_SOURCE_TOPIC',
    `${names[role]} ${topic} does not exist any more, though the application has read it. If it is made again it is another topic: then run weir reset and start over, or go on with ${acceptLossOption}.`,
    { topic },
  );
}

/** A topic of this name is there, and is not the one that the application knows. */
export function anewError(role: TopicRole, topic: string): StreamsError {
  return lossError(role, { topic }, 'was deleted and recreated: it is not the one that the application has committed');
}

/** Positions that are not what the application has committed. */
export function positionsError(
  place: { readonly topic: string; readonly partition: number; readonly taskId: string },
  what: string,
): StreamsError {
  const { topic, partition, taskId } = place;
  return new StreamsError(
    'STREAMS_INPUT_REFUSED',
    `${topic} (partition ${partition}): ${what}, while the application has counted already. ${acceptIt}`,
    { topic, partition, taskId },
  );
}
