import type { Broker, GroupDescription } from '../clients/broker.ts';
import { decodeAssignmentData, instancesIn } from '../runtime/kafka/member-data.ts';
import type { Topology } from '../topology/topology.ts';
import { type Check, failed, ok, warning } from './doctor-check.ts';
import { applicationLag, type PartitionLag } from './lag.ts';

/** Who runs the application, and whether its positions fit the topics. */
export async function groupChecks(
  broker: Broker,
  topology: Topology,
  applicationId: string,
): Promise<readonly Check[]> {
  const about = `group ${applicationId}`;
  const group = await broker.admin.describeGroup(applicationId);
  if (group.state === 'Dead') return [ok(about, 'does not exist: the application has not run yet')];
  const { lag, partitions } = await applicationLag(broker, topology, applicationId);
  return [memberCheck(about, group, lag), ...strangers(about, group), ...partitions.flatMap(positionChecks)];
}

function memberCheck(about: string, group: GroupDescription, lag: number): Check {
  const { state, members } = group;
  const behind = `${lag} ${lag === 1 ? 'record' : 'records'} behind`;
  if (members.length === 0) return ok(about, `no instance runs, ${behind}`);
  const instances = instancesIn(group);
  const many = `${instances} ${instances === 1 ? 'instance' : 'instances'}`;
  // Stream threads of one have one name and one host.
  const who = [...new Set(members.map(({ clientId, host }) => `${clientId} at ${host.replace(/^\//, '')}`))].join(', ');
  if (state === 'Stable') return ok(about, `${many} (${who}), ${behind}`);
  return warning(about, `is ${state}: ${many} (${who}); tasks are being assigned`, 'Ask again in some seconds.');
}

/** Members that are no instances of an application of this kind: tasks are shared out by others' rules. */
function strangers(about: string, { state, members }: GroupDescription): readonly Check[] {
  if (state !== 'Stable') return [];
  const others = members.filter(({ userData }) => {
    try {
      decodeAssignmentData(userData);
      return false;
    } catch {
      return true;
    }
  });
  if (others.length === 0) return [];
  const who = others.map(({ memberId }) => memberId).join(', ');
  return [
    failed(about, `other programs are members of it: ${who}`, 'Give each program its own application.id or group id.'),
  ];
}

function positionChecks({ topic, partition, position, start, end }: PartitionLag): readonly Check[] {
  if (position === undefined || start === undefined || end === undefined) return [];
  const about = `topic ${topic}`;
  if (position > end)
    return [
      failed(
        about,
        `partition ${partition} ends at ${end}, and the application has committed ${position}: the topic was recreated`,
        'Run weir reset and start over: all that it holds is counted.',
      ),
    ];
  if (position < start)
    return [
      warning(
        about,
        `the records ${position} to ${start - 1} of partition ${partition} were deleted before they were read`,
        'They are lost. Keep records longer: set retention.ms.',
      ),
    ];
  return [];
}
