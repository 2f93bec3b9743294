import { readFileSync } from 'node:fs';
import type { Broker } from '../clients/broker.ts';
import type { KafkaBrokerOptions } from '../clients/kafka/kafka-broker.ts';
import { messageOf, StreamsError } from '../common/errors.ts';
import type { Logger } from '../common/logger.ts';
import type { Config } from '../config/config.ts';
import type { SettingName } from '../config/settings.ts';

/** Settings of a connection to brokers. */
export const brokerSettings: readonly SettingName[] = [
  'application.id',
  'bootstrap.servers',
  'bootstrap.timeout.ms',
  'check.crcs',
  'client.id',
  'sasl.mechanism',
  'sasl.password',
  'sasl.password.file',
  'sasl.username',
  'security.protocol',
  'ssl.ca.file',
  'ssl.certificate.file',
  'ssl.key.file',
  'ssl.verify',
  'task.timeout.ms',
];

/** `--brokers`, for commands that work on a broker. */
export const brokersOption: {
  readonly flags: '--brokers <list>';
  readonly description: string;
  readonly setting: 'bootstrap.servers';
} = {
  flags: '--brokers <list>',
  description: 'brokers to ask first: host:port, several separated by commas',
  setting: 'bootstrap.servers',
};

/** `--application-id`, for commands that work on an application on a broker. */
export const applicationIdOption: {
  readonly flags: '--application-id <name>';
  readonly description: string;
  readonly setting: 'application.id';
} = {
  flags: '--application-id <name>',
  description: 'name of the application: its consumer group, and the prefix of its internal topics',
  setting: 'application.id',
};

/**
 * A client of the brokers that the settings name. Nothing is asked of them yet.
 *
 * @param clientId - Its name where `client.id` is not set. @defaultValue `application.id`
 * @throws StreamsError `STREAMS_USAGE` without `bootstrap.servers`, `STREAMS_CONFIG` for certificates and passwords that cannot be read.
 */
export async function openBroker(
  context: { readonly config: Config; readonly logger: Logger },
  clientId?: string,
): Promise<Broker> {
  const options = brokerOptions(context, clientId);
  // Loaded here, so that a command that needs no broker starts without it.
  const { openKafkaBroker } = await import('../clients/kafka/kafka-broker.ts');
  return openKafkaBroker(options);
}

/** How the settings say that brokers are reached. @throws StreamsError as {@link openBroker} */
export function brokerOptions(
  context: { readonly config: Config; readonly logger: Logger },
  clientId?: string,
): KafkaBrokerOptions {
  const { config, logger } = context;
  const named = clientId === undefined || config.origin('client.id').source !== 'default';
  const bootstrapServers = config.get('bootstrap.servers');
  if (bootstrapServers.length === 0)
    throw new StreamsError('STREAMS_USAGE', 'no broker is named. Give --brokers host:port.');
  const protocol = config.get('security.protocol');
  return {
    bootstrapServers,
    clientId: named ? config.get('client.id') : clientId,
    timeoutMs: config.get('task.timeout.ms'),
    bootstrapTimeoutMs: config.get('bootstrap.timeout.ms'),
    checkCrcs: config.get('check.crcs'),
    logger,
    ...(protocol === 'ssl' || protocol === 'sasl_ssl' ? { ssl: tlsOptions(config) } : {}),
    ...(protocol === 'sasl_plaintext' || protocol === 'sasl_ssl' ? { sasl: saslOptions(config) } : {}),
  };
}

function tlsOptions(config: Config): {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly rejectUnauthorized: boolean;
} {
  const ca = readOf(config, 'ssl.ca.file');
  const cert = readOf(config, 'ssl.certificate.file');
  const key = readOf(config, 'ssl.key.file');
  // Node takes a file without any for an empty list, and says that the broker's is self-signed.
  for (const [name, pem] of [
    ['ssl.ca.file', ca],
    ['ssl.certificate.file', cert],
  ] as const)
    if (pem !== undefined && !pem.includes('-----BEGIN CERTIFICATE-----'))
      throw new StreamsError(
        'STREAMS_CONFIG',
        `${name} ${config.get(name)} holds no certificate. Give a file in PEM format: it begins with -----BEGIN CERTIFICATE-----.`,
      );
  return {
    rejectUnauthorized: config.get('ssl.verify'),
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
  };
}

function saslOptions(config: Config): {
  readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512';
  readonly username: string;
  readonly password: string;
} {
  const username = config.get('sasl.username');
  const password = config.get('sasl.password') ?? readOf(config, 'sasl.password.file')?.replace(/(\r?\n)+$/, '');
  if (username === undefined || password === undefined)
    throw new StreamsError(
      'STREAMS_CONFIG',
      `security.protocol ${config.get('security.protocol')} needs sasl.username, and sasl.password (environment variable WEIR_SASL_PASSWORD) or sasl.password.file.`,
    );
  return { mechanism: config.get('sasl.mechanism'), username, password };
}

function readOf(
  config: Config,
  name: 'ssl.ca.file' | 'ssl.certificate.file' | 'ssl.key.file' | 'sasl.password.file',
): string | undefined {
  const path = config.get(name);
  if (path === undefined) return undefined;
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new StreamsError('STREAMS_CONFIG', `${name} cannot be read: ${messageOf(error)}. Give the path of a file.`, {
      cause: error,
    });
  }
}
