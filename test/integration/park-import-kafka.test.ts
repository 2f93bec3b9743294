import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { readToEnd } from '../../src/runtime/kafka/read-to-end.ts';
import { historySerde } from '../../src/serde/history.ts';
import { loadPark } from '../../topologies/grid/park/load-park.ts';
import { parkRows } from '../../topologies/grid/park/park-history.ts';
import { placeSerde } from '../../topologies/grid/park/place.ts';
import { changedPark, engines, golden, importWorld } from './helpers/import-world.ts';
import { KafkaApplication } from './helpers/kafka-application.ts';
import { KafkaPart, newName, until } from './helpers/kafka-clients.ts';
import { exportedFrom, places } from './helpers/kafka-reading.ts';
import { killedImports } from './helpers/killed-imports.ts';
import { RecountPark } from './helpers/recount-park.ts';
import { differences, type Files, Recount } from './helpers/recount-statistics.ts';
import { filesOf, tryWeir, weir } from './helpers/weir.ts';

const kafka = await KafkaPart.start({ throughProxy: false });

async function recounted(park: string): Promise<Files> {
  const recount = new Recount(await RecountPark.read(park));
  for (const file of await readdir(`${golden}/events`))
    recount.addFile(await readFile(join(golden, 'events', file), 'utf8'));
  return recount.files();
}

if (existsSync(golden)) {
  kafka.test(
    'a park that is imported into its topic gives the golden files, and after a meter moved its events count at both places',
    async (t) => {
      const world = await importWorld(t, engines['MariaDB']!);
      if (world === undefined) return;
      const brokers = kafka.server.bootstrap;
      const topic = newName('events');
      const parkTopic = `${topic}-park`;
      const importing = ['park', 'import', ...world.from, '--brokers', brokers, '--topic', parkTopic, '--json'];
      importing.push('--faults', join(world.folder, 'faults.csv'));
      const tried = JSON.parse(await weir([...importing, '--dry-run']));
      t.is(tried.difference.installed, 30);
      const broker = kafka.connect({ bootstrapServers: [brokers] });
      t.is((await broker.admin.partitionCounts([parkTopic])).size, 0, 'a dry run makes no topic');
      t.deepEqual(JSON.parse(await weir(importing)).difference, tried.difference);
      t.is(JSON.parse(await weir(importing)).difference.unchanged, 30);

      await weir([
        ...['produce', '--brokers', brokers, '--events', `${golden}/events`, '--topic', topic, '--partitions', '2'],
        ...['--dead', join(world.folder, 'dead.jsonl')],
      ]);
      const application = new KafkaApplication({
        ...{ brokers, broker, applicationId: newName('app'), topic, folder: world.folder },
        words: ['--park-topic', parkTopic],
      });
      t.teardown(() => application.end(t));
      application.start(0);
      await application.instances[0]!.ready();
      await application.caughtUp();
      const url = places.url(application.instances[0]!.url!);
      t.is(differences(await exportedFrom(url), await filesOf(`${golden}/statistics`)), '');

      const moved = changedPark(join(world.folder, 'moved'), {
        installation_c: [['3,3,20170101,', '3,3,20170101,20180110\n11,3,20180111,']],
      });
      world.write(moved);
      const report = JSON.parse(await weir(importing));
      t.deepEqual(report.difference, { installed: 0, ended: 0, moved: 1, corrected: 0, unchanged: 29 });
      t.deepEqual(report.windows, {
        day: [{ from: '2018-01-11', to: null }],
        week: [{ from: '2018-01-08', to: null }],
        month: [{ from: '2018-01-01', to: null }],
        year: [{ from: '2018-01-01', to: null }],
      });
      const expected = await recounted(moved);
      await until('the moved events are counted', async () => differences(await exportedFrom(url), expected) === '');

      world.server.run('delete from installation_c where id_pdc > 12', 'reseaux');
      const shrunk = await tryWeir(importing);
      t.is(shrunk.code, 3);
      t.regex(shrunk.stderr, /installation_c: the table has 13 rows and had 26/);
      t.is(differences(await exportedFrom(url), expected), '');
      t.is(await application.stop(0), 0);
    },
    test.serial,
  );

  kafka.test(
    'imports into the topic that are killed 30 times change it whole or not at all',
    async (t) => {
      const world = await importWorld(t, engines['MariaDB']!);
      if (world === undefined) return;
      const topic = newName('park');
      const target = [
        '--brokers',
        kafka.server.bootstrap,
        '--topic',
        topic,
        '--faults',
        join(world.folder, 'faults.csv'),
      ];
      const broker = kafka.connect({ bootstrapServers: [kafka.server.bootstrap] });
      const serde = historySerde(placeSerde);
      const inForce = async (): Promise<string> => {
        const places = new Map<string, string>();
        await readToEnd(
          broker,
          [{ topic, partition: 0 }],
          ({ bytes, keyStarts, keyEnds, valueStarts, valueEnds, length }) => {
            for (let i = 0; i < length; i++)
              places.set(
                bytes.toString('utf8', keyStarts[i], keyEnds[i]),
                JSON.stringify(serde.deserialize(bytes.subarray(valueStarts[i], valueEnds[i]))),
              );
          },
        );
        return JSON.stringify([...places].sort());
      };
      const textOf = async (park: string): Promise<string> => {
        const histories = [...parkRows(await loadPark(park), 'Europe/Paris')];
        return JSON.stringify(histories.map(([key, versions]) => [key, JSON.stringify(versions)]).sort());
      };
      const other = changedPark(join(world.folder, 'other'), { installation_c: [['3,3,20170101,', '11,3,20170101,']] });
      await weir(['park', 'import', ...world.from, ...target]);
      await killedImports(t, {
        ...{ world, target, inForce },
        golden: await textOf(`${golden}/park`),
        other: await textOf(other),
      });
    },
    test.serial,
  );
} else {
  test('golden data', (t) => {
    t.log(`${golden} is not there: set GOLDEN_DATA`);
    t.is(process.env['REQUIRE_PARTS'], undefined, 'the golden data are required here');
  });
}
