import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import test from 'ava';
import type blankSpace from 'ts-blank-space';
import { serverNeed } from '../../src/common/optional-packages.ts';
import { lines, printed } from '../examples/printed.ts';
import { nodeOf, nodeVersions } from '../helpers/nodes.ts';
import { PartMissing, skipWithout } from '../helpers/parts.ts';
import { PackedProject } from './helpers/packed-project.ts';

const withoutTypes = createRequire(import.meta.url)('ts-blank-space').default as typeof blankSpace;
const examples = new URL('../../examples/', import.meta.url);

/** Two rows of meter 8 on one day, 20 and 22 Wh, by zstd 1.5. */
const packedRows = 'KLUv/QRolQEAhAJtZXRlcixhdCx3aAo4LDIwMjQtMDMtMzBUMTA6MDA6MDBaLDIwMTIKAgCgEO1uPgHs8gbN';

/** A program that prints the sum of the packed rows with the library that it is given. */
const summing = `
async function main({ csvFormat, EmbeddedStreams, FolderFeed, Letters, Serdes, StreamsBuilder }, { mkdirSync, writeFileSync }, folder) {
  mkdirSync(folder);
  writeFileSync(folder + '/a.csv.zst', Buffer.from('${packedRows}', 'base64'));
  const builder = new StreamsBuilder();
  builder
    .stream('readings', { keySerde: Serdes.string, valueSerde: Serdes.int64 })
    .groupByKey()
    .reduce((sum, wh) => sum + wh, { name: 'sums' });
  const format = csvFormat({
    columns: { meter: 'meter', at: { column: 'at', time: 'iso' }, wh: { decimal: '.' } },
    key: ({ meter }) => meter,
    value: ({ wh }) => wh,
    timestamp: () => Date.UTC(2024, 2, 30),
  });
  const state = folder + '-state';
  const streams = await EmbeddedStreams.open(builder.build(), { stateDir: state });
  const dead = await Letters.open(state + '/dead.jsonl', { state });
  const late = await Letters.open(state + '/late.jsonl', { state });
  await streams.run([new FolderFeed({ topic: 'readings', directory: folder, format, dead, late })]);
  console.log((await streams.store('sums').get('8')).value);
  await streams.close();
  await dead.close();
  await late.close();
}
`;
const programs = {
  'module.mjs': `import * as library from 'weir-streams'; import * as fs from 'node:fs'; await main(library, fs, 'a');`,
  'required.cjs': "main(require('weir-streams'), require('node:fs'), 'b');",
  'imported.cjs': "import('weir-streams').then((library) => main(library, require('node:fs'), 'c'));",
};

for (const version of nodeVersions)
  test.serial(
    `on Node ${version} the package is small, runs the examples, and reads zstd as a module and as CommonJS`,
    async (t) => {
      let node: string;
      try {
        node = nodeOf(version);
      } catch (error) {
        if (!(error instanceof PartMissing)) throw error;
        skipWithout(t, error);
        return;
      }
      const project = await PackedProject.create(t, node);
      t.regex(await project.printed('version.mjs', 'console.log(process.versions.node)'), new RegExp(`^${version}\\b`));
      t.true((await project.packages()).length < 25);
      t.true((await project.bytes()) < 15e6);
      for (const [name, program] of Object.entries(programs))
        t.is(await project.printed(name, program + summing), '42\n', name);
      await project.install(serverNeed.packages);
      for (const [name, expected] of Object.entries(printed)) {
        const source = (await readFile(new URL(name, examples), 'utf8'))
          .replaceAll("'../src/index.ts'", "'weir-streams'")
          .replaceAll(/'\.\.\/src\/(\w+)\.ts'/g, "'weir-streams/$1'");
        t.deepEqual(
          lines(await project.printed(name.replace('.ts', '.mjs'), withoutTypes(source))),
          lines(expected),
          name,
        );
      }
    },
  );
