import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PartMissing, skipWithout } from '../helpers/parts.ts';
import { pythonHome } from '../helpers/python-home.ts';
import { KafkaPart } from './helpers/kafka-clients.ts';
import { weir } from './helpers/weir.ts';

const golden = process.env['GOLDEN_DATA'] ?? '../shared/data';

if (existsSync(golden)) {
  const kafka = await KafkaPart.start({ throughProxy: false });

  kafka.test(
    'DuckDB reads the golden events out of the Parquet files of a sink: types, times, values, rows',
    async (t) => {
      const python = duckDb();
      if (python instanceof PartMissing) return skipWithout(t, python);
      const folder = await mkdtemp(join(tmpdir(), 'weir-parquet-'));
      t.teardown(() => rm(folder, { recursive: true, force: true }));
      const [brokers, to] = [['--brokers', kafka.server.bootstrap], join(folder, 'sunk')];
      await weir([
        'produce',
        ...brokers,
        '--events',
        `${golden}/events`,
        '--partitions',
        '2',
        '--dead',
        join(folder, 'dead.jsonl'),
      ]);
      await weir(['sink', ...brokers, '--to', to, '--format', 'parquet', '--layout', 'hive', '--until-caught-up']);
      const { status, stdout, stderr } = spawnSync(
        python,
        ['test/parts/duckdb/compare_events.py', `${golden}/events`, to],
        { encoding: 'utf8' },
      );
      t.is(status, 0, stderr);
      t.deepEqual(JSON.parse(stdout), {
        types: {
          id_evt: 'BIGINT',
          date_occur_evt: 'TIMESTAMP WITH TIME ZONE',
          date_system_evt: 'TIMESTAMP WITH TIME ZONE',
          type_evt: 'VARCHAR',
          type_equipement: 'VARCHAR',
          id_equipement: 'BIGINT',
          info_div: 'VARCHAR',
          date: 'DATE',
        },
        rows: 48 * 8640,
        // Two files a day, one of each partition.
        rowsOfDays: [8640],
        days: 48,
        codecs: ['SNAPPY'],
        missing: 0,
        added: 0,
      });
    },
  );
}

function duckDb(): string | PartMissing {
  try {
    return pythonHome('duckdb-1', ['duckdb==1.*']);
  } catch (error) {
    if (error instanceof PartMissing) return error;
    throw error;
  }
}
