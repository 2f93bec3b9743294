import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { brokerOptions } from '../../src/cli/open-broker.ts';
import { silentLogger } from '../../src/common/logger.ts';
import { loadConfig } from '../../src/config/load-config.ts';

const folder = mkdtempSync(join(tmpdir(), 'weir-brokers-'));
test.after.always(() => rmSync(folder, { recursive: true }));

function file(name: string, content: string): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

const options = (flags: Record<string, string>, env: Record<string, string> = {}): ReturnType<typeof brokerOptions> =>
  brokerOptions({
    config: loadConfig({ flags: { 'bootstrap.servers': 'b1:9092,b2:9092', ...flags }, env }),
    logger: silentLogger,
  });

test('without security neither TLS nor a login is used, whatever else is set', (t) => {
  const { bootstrapServers, clientId, ssl, sasl } = options({ 'client.id': 'me', 'sasl.username': 'alice' });
  t.deepEqual(bootstrapServers, ['b1:9092', 'b2:9092']);
  t.is(clientId, 'me');
  t.is(ssl, undefined);
  t.is(sasl, undefined);
});

test('a broker must be named', (t) => {
  t.throws(() => brokerOptions({ config: loadConfig(), logger: silentLogger }), {
    code: 'STREAMS_USAGE',
    message: /--brokers host:port/,
  });
});

const pem = (text: string): string => `-----BEGIN CERTIFICATE-----\n${text}\n-----END CERTIFICATE-----\n`;

test('TLS trusts the certificates of the machine, or those of a file', (t) => {
  t.deepEqual(options({ 'security.protocol': 'ssl' }).ssl, { rejectUnauthorized: true });
  t.deepEqual(
    options({
      'security.protocol': 'ssl',
      'ssl.ca.file': file('ca.pem', pem('the ca')),
      'ssl.certificate.file': file('cert.pem', pem('the certificate')),
      'ssl.key.file': file('key.pem', 'the key'),
      'ssl.verify': 'false',
    }).ssl,
    { ca: pem('the ca'), cert: pem('the certificate'), key: 'the key', rejectUnauthorized: false },
  );
});

test('a file without a certificate is refused', (t) => {
  const error = t.throws(() => options({ 'security.protocol': 'ssl', 'ssl.ca.file': file('no.pem', 'nothing') }), {
    code: 'STREAMS_CONFIG',
  });
  t.regex(error.message, /^ssl\.ca\.file .*no\.pem holds no certificate/);
});

test('a file that cannot be read is named by its setting', (t) => {
  const error = t.throws(() => options({ 'security.protocol': 'ssl', 'ssl.ca.file': join(folder, 'absent.pem') }), {
    code: 'STREAMS_CONFIG',
  });
  t.regex(error.message, /^ssl\.ca\.file cannot be read: .*absent\.pem/);
});

const login = { 'security.protocol': 'sasl_plaintext', 'sasl.username': 'alice' };

test('a password comes from the environment, or from a file as secrets are mounted', (t) => {
  const { ssl, sasl } = options(login, { WEIR_SASL_PASSWORD: 'secret' });
  t.is(ssl, undefined);
  t.deepEqual(sasl, { mechanism: 'plain', username: 'alice', password: 'secret' });
  const fromFile = options({ ...login, 'sasl.password.file': file('password', ' of spaces \n') });
  t.is(fromFile.sasl?.password, ' of spaces ');
  t.is(options({ ...login, 'sasl.password.file': file('dos', 'secret\r\n') }).sasl?.password, 'secret');
});

test('TLS and a login go together', (t) => {
  const { ssl, sasl } = options(
    { ...login, 'security.protocol': 'sasl_ssl', 'sasl.mechanism': 'scram-sha-512' },
    { WEIR_SASL_PASSWORD: 'secret' },
  );
  t.deepEqual(ssl, { rejectUnauthorized: true });
  t.deepEqual(sasl, { mechanism: 'scram-sha-512', username: 'alice', password: 'secret' });
});

test('a login without user name or password is refused with the ways to give them', (t) => {
  for (const flags of [login, { 'security.protocol': 'sasl_ssl', 'sasl.password.file': file('p', 'x') }])
    t.throws(() => options(flags), {
      code: 'STREAMS_CONFIG',
      message: /needs sasl\.username.*WEIR_SASL_PASSWORD.*sasl\.password\.file/,
    });
});

test('a password on the command line is refused, and not repeated', (t) => {
  const error = t.throws(() => options({ ...login, 'sasl.password': 'hush' }), { code: 'STREAMS_CONFIG' });
  t.regex(error.message, /sasl\.password is a secret.*WEIR_SASL_PASSWORD, or sasl\.password\.file/);
  t.notRegex(error.message, /hush/);
});
