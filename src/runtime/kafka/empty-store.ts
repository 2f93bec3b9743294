import { latin1 } from '../../../state/latin1.ts';
import type { BrokerProducer } from '../../clients/broker.ts';
import type { StoreSpec } from '../../processor/node.ts';
import { localPart } from '../parts/local-part.ts';
import { wholeTime } from '../parts/store-part.ts';
import { changelogWriter } from './changelog.ts';
import { changelogTopic } from './internal-names.ts';
import type { FilledOptions } from './kafka-options.ts';
import type { TaskFolder } from './task-folder.ts';

const flushBytes = 8 * 1024 * 1024;

/**
 * Begins a store of a task anew: its rows are those of a time since when the task went on without it. They are deleted in the changelog with the task's next commit; until then the copy counts as one
 * that has read nothing of it, so that whoever comes after a failure finds the rows again, and begins anew too.
 *
 * @returns whether it had any
 */
export async function emptyStore(
  folder: TaskFolder,
  spec: StoreSpec,
  producer: BrokerProducer,
  { applicationId, logger }: Pick<FilledOptions, 'applicationId' | 'logger'>,
): Promise<boolean> {
  const { partition, database, taskId } = folder;
  const topic = changelogTopic(applicationId, spec.name);
  const write = changelogWriter(spec, { topic, partition }, producer, { topic, records: 0, bytes: 0 });
  let rows = 0;
  for await (const page of localPart(spec, database, folder.prefixOf(spec.name), partition).rows(
    wholeTime.fromMs,
    wholeTime.toMs,
  )) {
    for (const { startMs, key } of page) write(startMs, latin1(key, 0, key.length), undefined, 0);
    rows += page.length;
    if (producer.bufferedBytes > flushBytes) await producer.flush();
  }
  if (rows === 0) return false;
  logger.warn(
    { taskId, store: spec.name, rows },
    `store ${spec.name} of task ${taskId} starts empty: a program without it has gone on from the rows that it had`,
  );
  await folder.forget(spec);
  return true;
}
