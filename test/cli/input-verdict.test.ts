import test from 'ava';
import { checkRecords } from '../../src/cli/input-verdict.ts';
import type { KafkaStats } from '../../src/runtime/kafka/kafka-stats.ts';

/** What an instance has read of the topic `events`, in two partitions, and of other topics. */
function statsOf(consumed: number, deadLetters: Record<string, number>, lateLetters = 0): KafkaStats {
  const read = {
    'events-0': Math.floor(consumed / 2),
    'events-1': Math.ceil(consumed / 2),
    'app-events-repartition-0': 5,
    'events-2-0': 5,
  };
  return { consumed: read, deadLetters, lateLetters } as unknown as KafkaStats;
}

test('an instance of which every record is in the dead letters has not succeeded', (t) => {
  const dead = { deserialization: 2, future: 1 };
  t.throws(() => checkRecords(statsOf(3, dead), 'events', 'app-dead-letters'), {
    code: 'STREAMS_BAD_ROW',
    message: /all 3 records/,
  } as never);
  t.throws(() => checkRecords(statsOf(1, { deserialization: 1 }), 'events', 'app-dead-letters'), {
    message: /the only record/,
  });
  t.notThrows(() => checkRecords(statsOf(4, dead), 'events', 'app-dead-letters'), 'one was counted');
  t.notThrows(() => checkRecords(statsOf(0, {}), 'events', 'app-dead-letters'), 'nothing was there');
  t.notThrows(() => checkRecords(statsOf(3, {}, 3), 'events', 'app-dead-letters'), 'late records were records');
});
