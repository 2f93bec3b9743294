import { existsSync } from 'node:fs';
import test from 'ava';
import { parse } from 'yaml';
import { fileOf, readCompose, root, type Service, weirWordsOf } from './compose-file.ts';
import { environmentOf, readStages, textsOf } from './dockerfile.ts';
import { understood } from './understood.ts';

const page = fileOf('docs/deployment.md');
const compose = readCompose();
const profiles = new Set(Object.values(compose.services).flatMap(({ profiles = [] }) => profiles));
const code = [...page.matchAll(/^```(\w*)\n(.*?)^```$/gms)].map(([, language, text]) => ({ language, text: text! }));
const lines = code.filter(({ language }) => language === '').flatMap(({ text }) => text.split('\n'));

test('docs/deployment.md has a row for each service, with its profile', (t) => {
  const rows = [...page.matchAll(/^\| `([a-z0-9-]+)` +\| (?:`([a-z]+)`)? +\| [A-Z]/gm)].map(([, name, profile]) => [
    name,
    profile,
  ]);
  t.deepEqual(
    rows,
    Object.entries(compose.services).map(([name, { profiles }]) => [name, profiles?.[0]]),
  );
});

test('its docker compose commands name profiles and services that are there', (t) => {
  const commands = lines.flatMap((line) => line.split(' && ')).filter((line) => line.startsWith('docker compose'));
  t.true(commands.length >= 6);
  for (const line of commands) {
    for (const [, profile] of line.matchAll(/--profile (\S+)/g)) t.true(profiles.has(profile!), line);
    const [, service] = /(?:logs -f|exec|kill|start) (\S+)/.exec(line) ?? [];
    if (service !== undefined) t.truthy(compose.services[service], line);
  }
});

test('the program understands what it is told in docker commands', (t) => {
  const entrypoint = ' node dist/topologies/grid/main.js ';
  const { NODE_ENV: _, ...env } = environmentOf(readStages().at(-1)!);
  let checked = 0;
  for (const line of lines) {
    const words = line.includes(entrypoint)
      ? line.split(entrypoint)[1]
      : /^docker run -d .* weir:\S+ (.*)$/.exec(line)?.[1];
    if (words === undefined) continue;
    t.notThrows(() => understood(words.split(' '), env), line);
    checked++;
  }
  t.true(checked >= 2);
});

test('the image has the name that the compose file gives it, and its ports and volumes are those named', (t) => {
  const { image } = compose.services['run']!;
  for (const [, name] of page.matchAll(/\b(weir:\d\S*)/g)) t.is(name, image);
  const last = readStages().at(-1)!;
  t.true(page.includes(`\`${textsOf(last, 'VOLUME')[0]}\`, a volume`));
  t.true(page.includes(`| ${textsOf(last, 'EXPOSE')[0]} (\`WEIR_PORT\`)`));
});

test('addresses of this machine are published ports', (t) => {
  const published = new Set(
    Object.values(compose.services).flatMap(({ ports = [] }) => ports.map((port) => port.split(':')[1])),
  );
  const asked = [...page.matchAll(/127\.0\.0\.1:(\d+)/g)].map(([, port]) => port);
  t.true(asked.length >= 5);
  for (const port of asked) t.true(published.has(port), port);
});

test('the override for own events changes services that are there, and the program understands it', (t) => {
  const { text } = code.find(({ language }) => language === 'yaml')!;
  const { services } = parse(text) as { readonly services: Readonly<Record<string, Partial<Service>>> };
  for (const [name, change] of Object.entries(services)) {
    const service = { ...compose.services[name]!, ...change };
    t.truthy(compose.services[name], name);
    if (name !== 'generate') t.notThrows(() => understood(weirWordsOf(service)!), name);
  }
  // "true" in place of what generates, by the same shell.
  t.deepEqual(compose.services['generate']!.entrypoint, ['sh', '-c']);
});

test('settings and pages that it names are there', (t) => {
  const settings = fileOf('docs/configuration.md');
  for (const name of [
    'application.server',
    'num.standby.replicas',
    'num.stream.threads',
    'replication.factor',
    'statestore.cache.max.bytes',
  ]) {
    t.true(page.includes(`\`${name}`) && settings.includes(`### \`${name}\``), name);
  }
  for (const [, link] of page.matchAll(/\]\(([a-z]+\.md)/g)) t.true(existsSync(new URL(`docs/${link}`, root)), link);
});
