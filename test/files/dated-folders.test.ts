import { mkdirSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import test from 'ava';
import { inReadingOrder } from '../../src/files/file-order.ts';
import { FolderWorld, readings } from './helpers/folder-world.ts';

/** A name as a sink gives it to records `[first, last]` of a partition that are of January in 2018. */
function sinkFile(day: number, partition: number, first: number, last: number, layout: 'dated' | 'hive'): string {
  const dd = String(day).padStart(2, '0');
  const range = [first, last].map((offset) => String(offset).padStart(16, '0')).join('-');
  return layout === 'dated'
    ? `201801${dd}/event_201801${dd}-grid-events-${partition}-${range}.csv`
    : `date=2018-01-${dd}/event-grid-events-${partition}-${range}.csv`;
}

test('files of dated folders are read in both layouts, with hours too, day after day', async (t) => {
  const world = await FolderWorld.create(t);
  world.write('20180102/b.csv', readings(4));
  world.write('20180102/a.csv', readings(3));
  world.write('20180101/z.csv.gz', gzipSync(readings(2)));
  world.write('plain.csv', readings(1));
  world.write('date=2018-01-03/hour=09/event.csv', readings(5));
  world.write('date=2018-01-03/hour=10/event.csv', readings(6));
  world.write('20180104/00/event.csv', readings(7));
  const { records, progress } = await world.run();
  t.deepEqual(records, [
    'plain.csv:2:1',
    '20180101/z.csv:2:2',
    '20180102/a.csv:2:3',
    '20180102/b.csv:2:4',
    'date=2018-01-03/hour=09/event.csv:2:5',
    'date=2018-01-03/hour=10/event.csv:2:6',
    '20180104/00/event.csv:2:7',
  ]);
  t.deepEqual([progress.filesDone, progress.filesTotal], [7, 7]);
  t.deepEqual((await world.run()).records, [], 'each is known by its path');
  world.write('20180101/late.csv', readings(8));
  t.deepEqual((await world.run()).records, ['20180101/late.csv:2:8']);
});

test('folders of other names, what a sink has under way and its dead letters are not read; a link to a dated folder is', async (t) => {
  const world = await FolderWorld.create(t);
  for (const name of ['_pending', '_dead', '.hidden', 'done', '2018', '20180101/_pending', '20180101/13/05', 'hour=13'])
    world.write(`${name}/event.csv`, readings(1));
  world.write('20180102', 'a file');
  mkdirSync(world.path('20180103'));
  world.write('elsewhere/event.csv', readings(2));
  symlinkSync('elsewhere', world.path('20180104'));
  t.deepEqual((await world.run()).records, ['20180104/event.csv:2:2']);
});

for (const layout of ['dated', 'hive'] as const)
  test(`${layout}: files of a partition are read by offset, of several the one at the earliest day first, so that what came late is read late`, (t) => {
    const file = (day: number, partition: number, first: number, last: number): string =>
      sinkFile(day, partition, first, last, layout);
    const order = [
      file(1, 0, 0, 99),
      file(1, 1, 0, 79),
      file(2, 0, 0, 99),
      // Came after partition 0 had been at the 2nd; it goes on with the 2nd.
      file(1, 0, 100, 149),
      file(2, 0, 100, 149),
      file(2, 1, 0, 79),
      file(2, 1, 80, 90),
      file(3, 1, 80, 90),
      file(1, 1, 91, 91),
    ];
    t.deepEqual(inReadingOrder([...order].sort()), order);
    t.deepEqual(inReadingOrder([...order].reverse()), order);
    // Whatever was read before, the rest comes in the same order.
    for (let read = 0; read < order.length; read++)
      t.deepEqual(inReadingOrder(order.slice(read).sort()), order.slice(read));
  });

test('partitions from 10 on and topics with dashes and digits in their names keep their orders', (t) => {
  const name = (topic: string, partition: number, day: number, first: string): string =>
    `2018010${day}/event_2018010${day}-${topic}-${partition}-${first.padStart(16, '0')}-${'9'.padStart(16, '0')}.csv`;
  const order = [
    name('a-1', 2, 1, '0'),
    name('a-1', 12, 1, '0'),
    name('a', 1, 2, '5'),
    name('a-1', 2, 2, '0'),
    name('a-1', 2, 1, '7'),
  ];
  const found = inReadingOrder([...order].sort());
  t.deepEqual(
    found.filter((each) => each.includes('-a-1-2-')),
    order.filter((each) => each.includes('-a-1-2-')),
  );
  t.deepEqual(found.slice(0, 2).sort(), order.slice(0, 2).sort(), 'those of the first day come first');
});

test('rows that a topic has twice are read twice, from two files of a sink; a copy of such a file is not', async (t) => {
  const world = await FolderWorld.create(t);
  world.write(sinkFile(1, 0, 0, 0, 'dated'), readings(1));
  world.write(sinkFile(1, 0, 1, 1, 'dated'), readings(1));
  t.is((await world.run()).records.length, 2);
  world.write(`20180102/${sinkFile(1, 0, 1, 1, 'dated').slice(9)}`, readings(1));
  t.deepEqual((await world.run()).records, []);
  renameSync(world.path('20180101'), world.path('date=2018-01-01'));
  t.deepEqual((await world.run()).records, [], 'all files of a folder that was renamed are known');
});

test('a folder that is removed while it is looked at leaves out nothing else', async (t) => {
  const world = await FolderWorld.create(t);
  world.write('20180101/a.csv', readings(1));
  world.write('20180102/a.csv', readings(2));
  t.is((await world.run()).records.length, 2);
  rmSync(world.path('20180101'), { recursive: true });
  world.write('20180102/b.csv', readings(3));
  t.deepEqual((await world.run()).records, ['20180102/b.csv:2:3']);
});
