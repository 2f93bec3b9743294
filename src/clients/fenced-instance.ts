import { StreamsError } from '../common/errors.ts';

/** A static member's end: another one has come in its place. */
export function fencedInstance(groupId: string, groupInstanceId: string, cause: unknown): StreamsError {
  const text = `Another member of group ${groupId} has joined as "${groupInstanceId}" and has taken this one's place (FENCED_INSTANCE_ID). Give each instance that runs at the same time a group.instance.id of its own.`;
  return new StreamsError('STREAMS_FENCED_INSTANCE_ID', text, { cause });
}
