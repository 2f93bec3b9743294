import { silentLogger } from '../../common/logger.ts';
import { isSpoken, kafkajsApi } from './api.ts';
import type { ApiVersions } from './api-versions.ts';
import { KafkaConnection } from './connection.ts';
import { brokerError, check } from './errors.ts';
import { fetch } from './fetch-request.ts';
import type { KafkaBrokerOptions } from './kafka-broker.ts';
import * as requests from './requests.ts';

/** What one broker says of itself. */
export interface BrokerProbe {
  /** ms until it had answered, connection, TLS and login included. */
  readonly answeredMs: number;
  /** Requests that are needed and that it does not speak as they are written here, such as `OffsetFetch 7`. Empty for a broker of Kafka 3.7 or later. */
  readonly unspoken: readonly string[];
  /** Its configuration, by Kafka's names; undefined where it was not asked for, or where the user may not see it. */
  readonly configs: Readonly<Record<string, string>> | undefined;
}

/** How a broker is asked. */
export interface ProbeOptions {
  /** Its number in the cluster: with it its configuration is asked for. */
  readonly nodeId?: number;
  /** @defaultValue 10000 */
  readonly timeoutMs?: number;
}

const apiVersions = kafkajsApi<
  undefined,
  { errorCode: number; apiVersions: readonly { apiKey: number; minVersion: number; maxVersion: number }[] }
>('ApiVersions');

/** All requests that are used. */
const used = [...Object.values(requests).filter((each) => typeof each !== 'function'), fetch];

const brokerResource = 4;

/**
 * Connects to one broker, and to no other, and asks what it speaks. Changes nothing there.
 *
 * @param address - `host:port`.
 * @throws StreamsError `STREAMS_BROKER` if it cannot be reached or refuses the login.
 */
export async function probeBroker(
  { clientId, ssl, sasl }: KafkaBrokerOptions,
  address: string,
  { nodeId, timeoutMs = 10_000 }: ProbeOptions = {},
): Promise<BrokerProbe> {
  const at = address.lastIndexOf(':');
  const host = address.slice(0, at).replace(/^\[(.*)\]$/, '$1');
  const started = performance.now();
  try {
    const connection = await KafkaConnection.open(
      {
        clientId,
        ssl: ssl === true ? {} : ssl === false ? undefined : ssl,
        sasl,
        connectTimeoutMs: timeoutMs,
        requestTimeoutMs: timeoutMs,
        logger: silentLogger,
      },
      host,
      Number(address.slice(at + 1)),
    );
    try {
      const answer = await connection.call(apiVersions, undefined);
      check(answer.errorCode);
      const answeredMs = performance.now() - started;
      const versions = Object.fromEntries(answer.apiVersions.map((each) => [each.apiKey, each]));
      const configs = nodeId === undefined ? undefined : await configsOf(connection, nodeId);
      return { answeredMs, unspoken: unspokenOf(versions), configs };
    } finally {
      connection.close();
    }
  } catch (error) {
    throw brokerError('asking a broker', error);
  }
}

async function configsOf(connection: KafkaConnection, nodeId: number): Promise<BrokerProbe['configs']> {
  const resources = [{ type: brokerResource, name: String(nodeId) }];
  const answer = await connection.call(requests.describeConfigs, { resources });
  const found = answer.resources[0];
  // Not everybody may see it.
  if (found === undefined || found.errorCode !== 0) return undefined;
  return Object.fromEntries(
    found.configEntries.flatMap(({ configName, configValue }) =>
      configValue === null ? [] : [[configName, configValue]],
    ),
  );
}

/** Requests that a broker with these versions does not understand. */
export function unspokenOf(versions: ApiVersions): readonly string[] {
  const unspoken = used.filter((api) => !isSpoken(api, versions));
  return unspoken.map(({ name, apiVersion }) => `${name} ${apiVersion}`);
}
