import { existsSync } from 'node:fs';
import test from 'ava';
import { fileOf, mountsOf, readCompose, root, type Service, weirWordsOf } from './compose-file.ts';
import { environmentOf, readStages, textsOf } from './dockerfile.ts';
import { understood } from './understood.ts';

const compose = readCompose();
const services = Object.entries(compose.services);
const image = readStages().at(-1)!;
const weirServices = services.filter(([, service]) => weirWordsOf(service) !== undefined);
const manifest = JSON.parse(fileOf('package.json')) as { readonly version: string };

/** The variables a service of weir's image sees. */
function weirEnvironment({ environment = {} }: Service): Readonly<Record<string, string>> {
  const { NODE_ENV: _, ...ofImage } = environmentOf(image);
  return { ...ofImage, ...environment };
}

/** Ports that a service listens on, by the services' own settings. */
function listensOn([name, service]: [string, Service]): readonly number[] {
  const { environment = {} } = service;
  if (name === 'kafka') {
    return environment['KAFKA_LISTENERS']!.split(',').map((listener) => Number(listener.split(':').at(-1)));
  }
  const words = weirWordsOf(service);
  if (words !== undefined) return words.flatMap((word) => Number(/^--port=(\d+)$/.exec(word)?.[1] ?? []));
  // The ports that these images have by default.
  if (service.image.startsWith('prom/prometheus:')) return [9090];
  if (service.image.startsWith('grafana/grafana:')) return [3000];
  return [];
}

test('a key that Compose does not know is found', (t) => {
  const error = t.throws(() => readCompose(fileOf('docker-compose.yml').replace('image: prom', 'imagee: prom')));
  t.regex(error!.message, /imagee/);
  t.throws(() => readCompose(fileOf('docker-compose.yml').replace('condition: service_healthy', 'condition: healthy')));
});

test('every image has a whole version, and ours has that of the package', (t) => {
  for (const [name, service] of services) {
    t.regex(service.image, /^(weir|[a-z]+\/[a-z]+):v?\d+\.\d+\.\d+$/, name);
    if (service.image.startsWith('weir:')) t.is(service.image, `weir:${manifest.version}`, name);
    t.is(service.build, service.image.startsWith('weir:') ? '.' : undefined, name);
  }
});

for (const [name, service] of weirServices) {
  test(`the program understands the command, the options and the variables of service ${name}`, (t) => {
    const words = weirWordsOf(service)!;
    t.notThrows(() => understood(words, weirEnvironment(service)), words.join(' '));
  });
}

test('each service has a health check, but those that end or that serve nothing', (t) => {
  const without = services
    .filter(([, { healthcheck }]) => healthcheck !== undefined && 'disable' in healthcheck)
    .map(([name]) => name);
  t.deepEqual(without.sort(), ['generate', 'produce', 'topics']);
  t.is(textsOf(image, 'HEALTHCHECK').length, 1);
  for (const [name, { healthcheck, image }] of services)
    t.true(healthcheck !== undefined || image.startsWith('weir:'), name);
});

test('a service waits for services that are there, and for what can come true', (t) => {
  for (const [name, { depends_on = {} }] of services) {
    for (const [other, { condition }] of Object.entries(depends_on)) {
      const service = compose.services[other];
      if (service === undefined) {
        t.fail(`${name} waits for ${other}`);
        continue;
      }
      const healthCheck = service.healthcheck ?? (service.image.startsWith('weir:') ? {} : { disable: true });
      if (condition === 'service_healthy') t.false('disable' in healthCheck, `${name} waits for ${other}`);
      t.is(condition === 'service_completed_successfully', service.restart === 'no', `${name} waits for ${other}`);
      // A profile that is not asked for would leave the service waiting.
      for (const profile of service.profiles ?? []) t.true(compose.services[name]!.profiles?.includes(profile), name);
    }
  }
});

test('profiles and what they add are those of the documentation', (t) => {
  const byProfile: Record<string, string[]> = {};
  for (const [name, { profiles = [''] }] of services) {
    for (const profile of profiles) byProfile[profile] = [...(byProfile[profile] ?? []), name];
  }
  t.deepEqual(byProfile, {
    '': ['kafka', 'topics', 'generate', 'produce', 'run'],
    scale: ['run-2'],
    monitoring: ['prometheus', 'grafana'],
  });
});

test('every volume is declared and used, and every path of the checkout is there', (t) => {
  const used = new Set<string>();
  for (const [name, service] of services) {
    for (const { source, target, readOnly } of mountsOf(service)) {
      t.true(target.startsWith('/'), `${name} ${target}`);
      if (source.startsWith('./')) {
        t.true(existsSync(new URL(source, root)), `${name} ${source}`);
        t.true(readOnly, `${name} must not write ${source}`);
      } else {
        used.add(source);
      }
    }
  }
  t.deepEqual([...used].sort(), Object.keys(compose.volumes).sort());
});

test('what the program reads and writes is in a volume, and in one that it may write where it does', (t) => {
  const folders = textsOf(image, 'RUN').find((text) => text.startsWith('mkdir '))!;
  for (const [name, service] of weirServices) {
    const mounts = mountsOf(service);
    for (const { target } of mounts) t.true(folders.includes(target), `${target} must belong to the user of the image`);
    for (const word of weirWordsOf(service)!) {
      const path = /(?:^|=)(\/\S*)/.exec(word)?.[1];
      if (path === undefined) continue;
      const mount = mounts.find(({ target }) => path === target || path.startsWith(`${target}/`));
      t.truthy(mount, `${name} ${word}`);
      if (/^--(state|dead|out)/.test(word)) t.false(mount?.readOnly, `${name} writes ${path}`);
    }
    t.true(service.read_only, name);
  }
});

test('paths that one service writes are those that the others read', (t) => {
  const generated = weirWordsOf(compose.services['generate']!)!;
  const out = generated[generated.indexOf('--out') + 1];
  const words = (name: string): string => weirWordsOf(compose.services[name]!)!.join(' ');
  t.true(words('produce').includes(`--events=${out}/events `));
  for (const name of ['run', 'run-2']) t.true(words(name).includes(`--park=${out}/park `), name);
});

test('ports are published on the loopback only, each once, and somebody listens there', (t) => {
  const taken = new Set<string>();
  for (const entry of services) {
    for (const port of entry[1].ports ?? []) {
      const [address, published, target] = port.split(':');
      t.is(address, '127.0.0.1');
      t.false(taken.has(published!), port);
      taken.add(published!);
      t.true(listensOn(entry).includes(Number(target)), `${entry[0]} ${port}`);
    }
  }
});

test('every address of another service names one that listens at that port', (t) => {
  let checked = 0;
  for (const [name, { command = [], environment = {}, healthcheck }] of services) {
    const texts = [...command, ...Object.values(environment)];
    if (healthcheck !== undefined && 'test' in healthcheck) texts.push(...healthcheck.test);
    for (const text of texts) {
      for (const [, host, port] of text.matchAll(/(?:^|[=/@,])([a-z][a-z0-9-]*):(\d{2,5})\b/g)) {
        const self = host === 'localhost' ? name : host!;
        const service = compose.services[self];
        t.truthy(service, `${name}: ${text}`);
        if (service !== undefined) t.true(listensOn([self, service]).includes(Number(port)), `${name}: ${text}`);
        checked++;
      }
    }
  }
  t.true(checked >= 8);
});

test('both instances do the same under one name, each with its own state and address', (t) => {
  const [one, two] = [compose.services['run']!, compose.services['run-2']!];
  t.deepEqual(one.command, two.command);
  t.deepEqual(one.networks?.default.aliases, two.networks?.default.aliases);
  const state = (service: Service): string => mountsOf(service).find(({ target }) => target === '/state')!.source;
  t.not(state(one), state(two));
  t.is(one.environment?.['WEIR_APPLICATION_SERVER'], 'run:8080');
  t.is(two.environment?.['WEIR_APPLICATION_SERVER'], 'run-2:8080');
});

test('the topic is made before it is used, under its name, and keeps old events for ever', (t) => {
  const command = compose.services['topics']!.command!;
  for (const name of ['produce', 'run']) {
    const topic = weirWordsOf(compose.services[name]!)!.find((word) => word.startsWith('--topic='));
    t.true(command.includes(topic!), name);
    t.is(compose.services[name]!.depends_on?.['topics']?.condition, 'service_completed_successfully');
  }
  t.true(command.includes('--config=retention.ms=-1'));
  t.true(command.includes(`--config=message.timestamp.after.max.ms=${2n ** 63n - 1n}`));
});

test("the broker's ways in are named alike in all its settings", (t) => {
  const env = compose.services['kafka']!.environment!;
  const names = (variable: string): string[] =>
    env[variable]!.split(',')
      .map((item) => item.split(':')[0]!)
      .sort();
  t.deepEqual(names('KAFKA_LISTENERS'), ['CONTROLLER', 'HOST', 'INTERNAL']);
  t.deepEqual(names('KAFKA_LISTENER_SECURITY_PROTOCOL_MAP'), names('KAFKA_LISTENERS'));
  t.deepEqual(
    [...names('KAFKA_ADVERTISED_LISTENERS'), env['KAFKA_CONTROLLER_LISTENER_NAMES']!].sort(),
    names('KAFKA_LISTENERS'),
  );
  t.true(names('KAFKA_ADVERTISED_LISTENERS').includes(env['KAFKA_INTER_BROKER_LISTENER_NAME']!));
  t.is(Buffer.from(env['CLUSTER_ID']!, 'base64url').length, 16);
  t.is(env['KAFKA_LOG_DIRS'], mountsOf(compose.services['kafka']!)[0]!.target);
});

test('there is no secret in the file, and Grafana has no user to log in', (t) => {
  for (const [name, { environment = {} }] of services) {
    for (const variable of Object.keys(environment))
      t.notRegex(variable, /PASSWORD|SECRET|TOKEN|CREDENTIAL|_KEY$/, name);
  }
  t.notRegex(fileOf('docker-compose.yml'), /:\/\/[^/\s]*:[^/\s]*@/);
  const grafana = compose.services['grafana']!.environment!;
  t.is(grafana['GF_SECURITY_DISABLE_INITIAL_ADMIN_CREATION'], 'true');
  t.is(grafana['GF_AUTH_ANONYMOUS_ORG_ROLE'], 'Viewer');
});
