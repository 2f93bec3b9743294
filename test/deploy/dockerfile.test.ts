import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import test from 'ava';
import { fileOf, root } from './compose-file.ts';
import { environmentOf, readStages, type Stage, textsOf, wordsOf } from './dockerfile.ts';
import { understood } from './understood.ts';

const stages = readStages();
const last = stages.at(-1)!;
const manifest = JSON.parse(fileOf('package.json')) as {
  readonly engines: { readonly node: string };
  readonly bin: Readonly<Record<string, string>>;
};

/** What a stage copies from the checkout. */
function copiedFromCheckout(stage: Stage): readonly string[] {
  return textsOf(stage, 'COPY').flatMap((text) => (text.startsWith('--from=') ? [] : text.split(' ').slice(0, -1)));
}

test('all stages build on one Node, whose version is written out and not older than the package asks for', (t) => {
  const [base] = stages.map((stage) => stage.base);
  t.deepEqual(
    stages.map((stage) => stage.base),
    stages.map(() => base),
  );
  const [, major, minor] = /^node:(\d+)\.(\d+)\.\d+-bookworm-slim$/.exec(base!)!.map(Number);
  const [, least, leastMinor] = /^>=(\d+)\.(\d+)$/.exec(manifest.engines.node)!.map(Number);
  t.true(major! > least! || (major === least && minor! >= leastMinor!));
  t.is(major! % 2, 0, 'a version with long-term support');
});

test('everything that is copied is there, and the builder gets it, and nothing else', (t) => {
  const copied = new Set(stages.flatMap(copiedFromCheckout));
  for (const path of copied) t.true(existsSync(new URL(path, root)), path);
  const ignore = fileOf('.dockerignore')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
  t.is(ignore[0], '*');
  t.deepEqual(ignore.slice(1).sort(), [...copied].map((path) => `!${path}`).sort());
});

test('all that tsconfig.build.json compiles is copied before the build', (t) => {
  const config = JSON.parse(fileOf('tsconfig.build.json')) as { readonly extends: string; readonly include: string[] };
  const build = stages.find((stage) => stage.name === 'build')!;
  const copied = copiedFromCheckout(build);
  for (const path of [...config.include, config.extends.replace('./', ''), 'tsconfig.build.json']) {
    t.true(copied.includes(path), path);
  }
  const order = build.instructions.map(({ name, text }) => `${name} ${text}`);
  t.is(order.at(-1), 'RUN npm run build');
});

test('the image holds what runs, without development dependencies, and not as root', (t) => {
  const dependencies = stages.find((stage) => stage.name === 'dependencies')!;
  t.deepEqual(textsOf(dependencies, 'RUN'), [
    'node build/application-package.mjs && npm install --omit=dev --ignore-scripts',
  ]);
  t.deepEqual(
    textsOf(last, 'COPY').filter((text) => text.startsWith('--from=')),
    ['--from=dependencies /app/node_modules ./node_modules', '--from=build /app/dist ./dist'],
  );
  t.deepEqual(textsOf(last, 'USER'), ['node']);
  const names = last.instructions.map(({ name }) => name);
  t.true(names.lastIndexOf('RUN') < names.indexOf('USER'), 'what needs root comes first');
  t.deepEqual(textsOf(last, 'WORKDIR'), ['/app']);
});

test('the entry point is the program of the package, and what it is built from is there', (t) => {
  const [node, program, ...more] = wordsOf(textsOf(last, 'ENTRYPOINT')[0]!);
  t.is(node, 'node');
  t.deepEqual(more, []);
  t.is(program, manifest.bin['weir']);
  t.true(existsSync(new URL(program!.replace('dist/', '').replace('.js', '.ts'), root)));
});

test("the variables of the image are the program's own; with them it keeps its state in the volume and serves at the exposed port", (t) => {
  const { NODE_ENV, ...env } = environmentOf(last);
  t.is(NODE_ENV, 'production');
  const { values } = understood(['serve'], env);
  t.deepEqual(textsOf(last, 'VOLUME'), [String(values['state'])]);
  t.deepEqual(textsOf(last, 'EXPOSE'), [String(values['port'])]);
  t.is(values['host'], '0.0.0.0');
  t.true(textsOf(last, 'RUN').some((text) => text.includes('chown node:node /state')));
});

/** Runs the health check as Docker would, against a port. */
async function healthOf(port: number): Promise<number> {
  const text = textsOf(last, 'HEALTHCHECK')[0]!;
  const [command, ...args] = wordsOf(text.slice(text.indexOf('CMD ') + 4));
  const child = spawn(command === 'node' ? process.execPath : command!, args, {
    env: { ...process.env, WEIR_PORT: String(port) },
    stdio: 'ignore',
  });
  const [code] = (await once(child, 'close')) as [number];
  return code;
}

test('the health check asks /readyz: 0 when ready, 1 when not, 1 when nobody answers', async (t) => {
  let status = 200;
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url!);
    response.writeHead(status).end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  t.is(await healthOf(port), 0);
  status = 503;
  t.is(await healthOf(port), 1);
  t.deepEqual(asked, ['/readyz', '/readyz']);
  server.close();
  await once(server, 'close');
  t.is(await healthOf(port), 1);
});
