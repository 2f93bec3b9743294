import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { kafkaOptions } from '../../src/cli/kafka-settings.ts';
import { streamsErrors } from '../../src/common/errors.ts';
import { silentLogger } from '../../src/common/logger.ts';
import { loadConfig } from '../../src/config/load-config.ts';
import { settingNames } from '../../src/config/settings.ts';
import { filledOptions } from '../../src/runtime/kafka/kafka-options.ts';
import { MemoryCluster } from '../../src/testing.ts';
import { gridSpec } from '../../topologies/grid/application-spec.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** Lines of code of folders, without comments, by file. */
function codeIn(folders: readonly string[], without: RegExp): string {
  const files = folders.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => `${folder}/${name}`),
  );
  return files
    .filter((file) => !without.test(file))
    .map((file) => readFileSync(join(root, file), 'utf8').replace(/^\s*(\/\/|\/?\*).*$/gm, ''))
    .join('\n');
}

const product = codeIn(['src', 'topologies'], /^src\/config\//);
const thrown = codeIn(['src', 'state', 'topologies'], /common\/errors\.ts$|http\/problem\.ts$|^src\/testing\//);
const tests = codeIn(['test'], /^test\/(docs|http)\/|one-source/);

test('every setting has a reader', (t) => {
  for (const name of settingNames) t.true(product.includes(`'${name}'`), `nobody reads ${name}`);
});

test('every code is thrown somewhere, and a test provokes it', (t) => {
  for (const code of Object.keys(streamsErrors)) {
    t.true(thrown.includes(`'${code}'`), `nothing throws ${code}`);
    t.true(tests.includes(code), `no test provokes ${code}`);
  }
});

test('options of a program have the defaults of the settings', (t) => {
  const config = loadConfig({ runtime: 'kafka', applicationId: gridSpec.applicationId });
  const broker = new MemoryCluster().connect();
  const own = { broker, applicationId: gridSpec.applicationId, stateDir: config.get('state.dir') };
  const values = (options: object): unknown =>
    JSON.parse(JSON.stringify({ ...filledOptions(options as typeof own), broker: null, logger: null }));
  t.deepEqual(values(kafkaOptions(gridSpec, config, broker, silentLogger)), values(own));
  const least = { ...own, guarantee: 'at_least_once' } as const;
  t.is(filledOptions(least).commitIntervalMs, 30_000);
  t.is(filledOptions({ ...own, sessionTimeoutMs: 900 }).heartbeatIntervalMs, 300);
});
