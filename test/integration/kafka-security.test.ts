import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { PartMissing, skipWithout } from '../helpers/parts.ts';
import { type Certificates, makeCertificates } from './helpers/kafka-certificates.ts';
import { KafkaPart, newName } from './helpers/kafka-clients.ts';
import { WeirProcess } from './helpers/kafka-process.ts';
import { madeData } from './helpers/made-data.ts';
import { differences } from './helpers/recount-statistics.ts';
import { filesOf, weir } from './helpers/weir.ts';

const password = 'a "secret" with signs';
const folder = await mkdtemp(join(tmpdir(), 'weir-security-'));
const passwordFile = join(folder, 'password');
await writeFile(passwordFile, `${password}\n`);

let certificates: Certificates | undefined;
let missing: PartMissing | undefined;
try {
  certificates = makeCertificates();
} catch (error) {
  if (!(error instanceof PartMissing)) throw error;
  missing = error;
}

const login = 'org.apache.kafka.common.security';
const quoted = password.replaceAll('"', '\\\\"');
const kafka = await KafkaPart.start({
  throughProxy: false,
  listeners: certificates === undefined ? {} : { TLS: 'SSL', MUTUAL: 'SSL', LOGIN: 'SASL_PLAINTEXT', BOTH: 'SASL_SSL' },
  properties:
    certificates === undefined
      ? {}
      : {
          'ssl.keystore.type': 'PEM',
          'ssl.keystore.location': certificates.server,
          'ssl.truststore.type': 'PEM',
          'ssl.truststore.location': certificates.ca,
          'listener.name.mutual.ssl.client.auth': 'required',
          ...Object.fromEntries(
            ['login', 'both'].flatMap((name) => [
              [`listener.name.${name}.sasl.enabled.mechanisms`, 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512'],
              [
                `listener.name.${name}.plain.sasl.jaas.config`,
                `${login}.plain.PlainLoginModule required user_weir="${quoted}";`,
              ],
              ...['scram-sha-256', 'scram-sha-512'].map((mechanism) => [
                `listener.name.${name}.${mechanism}.sasl.jaas.config`,
                `${login}.scram.ScramLoginModule required;`,
              ]),
            ]),
          ),
        },
});

let data = '';

function secured(title: string, run: Parameters<typeof kafka.test>[1]): void {
  kafka.test(title, async (t) => (missing ? skipWithout(t, missing) : run(t)), test.serial);
}

secured('the topics are loaded', async (t) => {
  data = await madeData({ days: 2, eventsPerDay: 500, damage: 0, late: false, seed: 1, meters: 20, concentrators: 5 });
  const brokers = ['--brokers', kafka.server.bootstrap];
  await weir(['park', 'load', ...brokers, '--park', `${data}/park`]);
  await weir(['produce', ...brokers, '--events', `${data}/events`, '--dead', join(folder, 'dead.jsonl')]);
  const user = ['--alter', '--entity-type', 'users', '--entity-name', 'weir'];
  for (const mechanism of ['SCRAM-SHA-256', 'SCRAM-SHA-512'])
    await kafka.server.tool('kafka.admin.ConfigCommand', [
      ...['--bootstrap-server', kafka.server.bootstrap, ...user],
      ...['--add-config', `${mechanism}=[password=${password}]`],
    ]);
  t.pass();
});

interface Way {
  readonly title: string;
  readonly listener: string;
  readonly settings: () => Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
}

const byFile = { 'sasl.username': 'weir', 'sasl.password.file': passwordFile };
const ca = (): string => certificates!.ca;
const ways: readonly Way[] = [
  { title: 'TLS', listener: 'TLS', settings: () => ({ 'security.protocol': 'ssl', 'ssl.ca.file': ca() }) },
  {
    title: 'TLS with a certificate of the client',
    listener: 'MUTUAL',
    settings: () => ({
      ...{ 'security.protocol': 'ssl', 'ssl.ca.file': ca() },
      ...{ 'ssl.certificate.file': certificates!.clientCertificate, 'ssl.key.file': certificates!.clientKey },
    }),
  },
  {
    title: 'SASL PLAIN, the password by environment',
    listener: 'LOGIN',
    settings: () => ({ 'security.protocol': 'sasl_plaintext', 'sasl.username': 'weir' }),
    env: { WEIR_SASL_PASSWORD: password },
  },
  {
    title: 'SASL SCRAM-SHA-256, the password by file',
    listener: 'LOGIN',
    settings: () => ({ 'security.protocol': 'sasl_plaintext', 'sasl.mechanism': 'scram-sha-256', ...byFile }),
  },
  {
    title: 'SASL SCRAM-SHA-512 over TLS',
    listener: 'BOTH',
    settings: () => ({
      ...{ 'security.protocol': 'sasl_ssl', 'ssl.ca.file': ca(), 'sasl.mechanism': 'scram-sha-512' },
      ...byFile,
    }),
  },
];

function words(settings: Readonly<Record<string, string>>): readonly string[] {
  return Object.entries(settings).flatMap(([name, value]) => ['--set', `${name}=${value}`]);
}

for (const { title, listener, settings, env = {} } of ways)
  secured(`by ${title} it counts, and is read`, async (t) => {
    const brokers = ['--brokers', kafka.server.address(listener), '--application-id', newName('app')];
    const state = await mkdtemp(join(folder, 'state-'));
    const run = new WeirProcess(
      [
        ...['run', ...brokers, '--state', state, '--port', '0', '--until-caught-up', '--log-level', 'debug'],
        ...words(settings()),
      ],
      env,
    );
    t.is(await run.ended(), 0, run.stderr);
    const out = await mkdtemp(join(folder, 'out-'));
    const read = new WeirProcess(['export', ...brokers, '--out', out, ...words(settings())], env);
    t.is(await read.ended(), 0, read.stderr);
    t.is(differences(await filesOf(out), await filesOf(`${data}/truth/statistics`)), '', run.stderr);
    t.false((run.stdout + run.stderr + read.stderr).includes(password), 'no word of the password');
  });

const wrong: readonly (readonly [string, string, () => Readonly<Record<string, string>>, RegExp])[] = [
  ['a certificate that nobody trusts', 'TLS', () => ({ 'security.protocol': 'ssl' }), /certificate/],
  [
    'a wrong user',
    'LOGIN',
    () => ({ 'security.protocol': 'sasl_plaintext', ...byFile, 'sasl.username': 'x' }),
    /SASL|authenti/i,
  ],
  [
    'a wrong user over SCRAM',
    'LOGIN',
    () => ({
      'security.protocol': 'sasl_plaintext',
      ...byFile,
      'sasl.mechanism': 'scram-sha-256',
      'sasl.username': 'x',
    }),
    /SASL|authenti/i,
  ],
  ['no TLS where TLS is spoken', 'TLS', () => ({}), /./],
];

for (const [title, listener, settings, expected] of wrong)
  secured(`${title} ends a command with an error that says so`, async (t) => {
    const place = ['--brokers', kafka.server.address(listener), '--application-id', 'any'];
    const run = new WeirProcess([
      ...['run', ...place, '--state', await mkdtemp(join(folder, 'state-')), '--port', '0'],
      ...words({ ...settings(), 'task.timeout.ms': '2000' }),
    ]);
    t.is(await run.ended(), 1, run.stderr);
    const verdict = run.stderr.trim().split('\n').at(-1)!;
    t.log(verdict);
    t.regex(verdict, /^STREAMS_BROKER: /);
    t.regex(verdict, expected);
    t.false(run.stderr.includes(password));
  });
