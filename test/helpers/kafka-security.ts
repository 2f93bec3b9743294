import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

/** Who may log in. */
export const kafkaUser = { username: 'alice', password: 'her-secret' } as const;

/** A listener with TLS and SASL: what belongs into server.properties, options of `StorageTool format`, and the certificate that clients trust. */
export interface KafkaSecurity {
  readonly properties: Readonly<Record<string, string>>;
  readonly format: readonly string[];
  readonly ca: string;
}

/** Makes a key for 127.0.0.1 and describes a listener `SECURE` with it: PLAIN and SCRAM. */
export function kafkaSecurity(dataDir: string): KafkaSecurity {
  const keystore = join(dataDir, 'server.p12');
  const store = ['-keystore', keystore, '-storepass', 'changeit', '-alias', 'server'];
  const names = ['-dname', 'CN=localhost', '-ext', 'SAN=ip:127.0.0.1,dns:localhost'];
  keytool(['-genkeypair', ...store, '-storetype', 'PKCS12', '-keyalg', 'RSA', '-validity', '30', ...names]);
  const ca = keytool(['-exportcert', '-rfc', ...store]);
  const { username, password } = kafkaUser;
  const login = 'org.apache.kafka.common.security';
  return {
    ca,
    format: ['SCRAM-SHA-256', 'SCRAM-SHA-512'].flatMap((mechanism) => [
      '--add-scram',
      `${mechanism}=[name=${username},password=${password}]`,
    ]),
    properties: {
      'ssl.keystore.type': 'PKCS12',
      'ssl.keystore.location': keystore,
      'ssl.keystore.password': 'changeit',
      'ssl.key.password': 'changeit',
      'listener.name.secure.sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512',
      'listener.name.secure.plain.sasl.jaas.config': `${login}.plain.PlainLoginModule required user_${username}="${password}";`,
      'listener.name.secure.scram-sha-256.sasl.jaas.config': `${login}.scram.ScramLoginModule required;`,
      'listener.name.secure.scram-sha-512.sasl.jaas.config': `${login}.scram.ScramLoginModule required;`,
    },
  };
}

function keytool(args: readonly string[]): string {
  const ran = spawnSync('keytool', args, { encoding: 'utf8' });
  if (ran.status !== 0) throw new Error(`keytool ended with ${ran.status}: ${ran.stdout}${ran.stderr}`);
  return ran.stdout;
}
