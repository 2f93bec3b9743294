import { readFileSync } from 'node:fs';
import test from 'ava';
import {
  commandLineNeed,
  installLine,
  kafkaNeed,
  requirePackage,
  serverNeed,
  withPackages,
} from '../../src/common/optional-packages.ts';
import { databaseNeed, gridNeed } from '../../topologies/grid/packages.ts';

const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
  readonly peerDependencies: Readonly<Record<string, string>>;
  readonly peerDependenciesMeta: Readonly<Record<string, { readonly optional?: boolean }>>;
};
const need = { what: 'A part', packages: ['not-there', 'hono'] };

test('a package that is not installed is told with the line that installs all that the part needs', async (t) => {
  const expected = {
    code: 'STREAMS_CONFIG',
    message:
      'A part needs packages that are not installed with weir-streams. Install beside it: npm install not-there hono@4',
  };
  t.throws(() => requirePackage(need, 'not-there'), expected);
  t.throws(() => requirePackage(need, 'not-there/inner.js'), expected);
  const name = 'not-there';
  await t.throwsAsync(
    withPackages(need, () => import(name)),
    expected,
  );
});

test('a module that is missing for another reason stays the error that it is', async (t) => {
  const name = './no-such-file.ts';
  await t.throwsAsync(
    withPackages(need, () => import(name)),
    { code: 'ERR_MODULE_NOT_FOUND' },
  );
  await t.throwsAsync(
    withPackages(need, () => Promise.reject(new TypeError('no'))),
    { instanceOf: TypeError, message: 'no' },
  );
});

test('the version in a line is the range of the peer without signs that a shell takes for its own', (t) => {
  t.is(
    installLine(['hyparquet-writer', '@aws-sdk/client-s3']),
    'npm install hyparquet-writer@0.17 @aws-sdk/client-s3@3',
  );
});

test('all that a part needs is an optional peer, installed for the tests in the version that its range begins with', (t) => {
  for (const { packages } of [kafkaNeed, serverNeed, commandLineNeed, gridNeed, databaseNeed]) {
    t.true(packages.length > 0);
    for (const name of packages) {
      t.true(manifest.peerDependenciesMeta[name]?.optional, name);
      t.is(manifest.peerDependencies[name]?.replace('^', ''), manifest.devDependencies[name], name);
    }
  }
  t.deepEqual(Object.keys(manifest.peerDependenciesMeta).sort(), Object.keys(manifest.peerDependencies).sort());
});
