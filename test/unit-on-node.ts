// Runs the unit tests of what depends on Node on another version of it: npm run test:node -- 22 [options of AVA]
import { spawnSync } from 'node:child_process';
import { delimiter, dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { nodeOf, nodeVersions } from './helpers/nodes.ts';

/** Compression, checksums, zones of Intl, files and their watchers, workers and child processes, HTTP, native modules. */
const files = [
  'test/clients/record-batch/**/*.test.ts',
  'test/common/**/*.test.ts',
  'test/files/{folder-feed*,zstd,whole-file,move-file,file-shapes}.test.ts',
  'test/state/{database,level-database}.test.ts',
  'test/server/*.test.ts',
  'test/http/{access,app,server,two-instances}.test.ts',
  'test/cli/{signals,cli,options}.test.ts',
  'test/examples/*.test.ts',
];

const [version, ...options] = process.argv.slice(2);
const known = nodeVersions.find((each) => each === version);
if (known === undefined) throw new TypeError(`which Node? One of: ${nodeVersions.join(', ')}.`);
const node = nodeOf(known);
const ava = fileURLToPath(new URL('../node_modules/ava/entrypoints/cli.mjs', import.meta.url));
const env = { ...process.env, PATH: `${dirname(node)}${delimiter}${process.env['PATH']}` };
process.exitCode = spawnSync(node, [ava, ...files, ...options], { stdio: 'inherit', env }).status ?? 1;
