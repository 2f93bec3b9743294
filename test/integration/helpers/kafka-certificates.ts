import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PartMissing } from '../../helpers/parts.ts';

/** Files in PEM of an authority of its own, and of what it has signed for this machine. */
export interface Certificates {
  /** The authority's certificate. */
  readonly ca: string;
  /** The server's key and certificate in one file, as Kafka reads them. */
  readonly server: string;
  readonly clientKey: string;
  readonly clientCertificate: string;
}

/** @throws PartMissing without openssl */
export function makeCertificates(): Certificates {
  if (spawnSync('openssl', ['version']).status !== 0)
    throw new PartMissing('openssl is not installed: no certificates.');
  const folder = mkdtempSync(join(tmpdir(), 'weir-certificates-'));
  const at = (name: string): string => join(folder, name);
  const openssl = (...args: string[]): void => {
    const { status, stderr } = spawnSync('openssl', args, { cwd: folder, encoding: 'utf8' });
    if (status !== 0) throw new Error(`openssl ${args.join(' ')}: ${stderr}`);
  };
  const newKey = ['-newkey', 'rsa:2048', '-nodes'];
  openssl(
    'req',
    '-x509',
    ...newKey,
    '-keyout',
    'ca.key',
    '-out',
    'ca.pem',
    '-days',
    '30',
    '-subj',
    '/CN=test authority',
  );
  writeFileSync(at('names'), 'subjectAltName=IP:127.0.0.1,DNS:localhost');
  for (const name of ['server', 'client']) {
    openssl('req', ...newKey, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${name}`);
    const signing = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '30', '-extfile', 'names'];
    openssl('x509', '-req', '-in', `${name}.csr`, ...signing, '-out', `${name}.pem`);
  }
  writeFileSync(at('server-all.pem'), readFileSync(at('server.key'), 'utf8') + readFileSync(at('server.pem'), 'utf8'));
  return {
    ca: at('ca.pem'),
    server: at('server-all.pem'),
    clientKey: at('client.key'),
    clientCertificate: at('client.pem'),
  };
}
