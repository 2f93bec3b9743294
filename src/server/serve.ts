import { hostname } from 'node:os';
import { type Logger, silentLogger } from '../common/logger.ts';
import type { AccessOptions } from '../http/access.ts';
import type { RunningServer } from '../http/running-server.ts';
import type { EmbeddedStreams } from '../runtime/embedded-streams.ts';
import { KafkaStreams } from '../runtime/kafka/kafka-streams.ts';
import { type ServedParts, serveClient } from './serve-client.ts';
import { ServedKafka } from './served-kafka.ts';
import { servedState } from './served-state.ts';

/** How to serve a client. */
export interface ServeOptions extends ServedParts, AccessOptions {
  /** 0 takes any free one. @defaultValue 8080 */
  readonly port?: number;
  /** Address to listen on. One that others reach needs a `token`, or `open`. @defaultValue '127.0.0.1' */
  readonly host?: string;
  /** Told of failures that are the server's own. @defaultValue silent */
  readonly logger?: Logger;
  /** Version of the program, shown in the metric `streams_client_info`. @defaultValue '' */
  readonly version?: string;
}

/**
 * Serves a client over HTTP: the page, `/metrics`, `/healthz`, `/readyz`, `/stores`, `/topology`, `/tasks`, and what is added in the options.
 *
 * Of a client on Kafka all stores can be read at any instance. Call it before `start`: the group is told where the server is, unless `applicationServer` says another place. Close the
 * server when the client has ended.
 *
 * @example
 * ```ts
 * import { KafkaStreams, Serdes, StreamsBuilder } from 'weir-streams';
 * import { serve } from 'weir-streams/server';
 *
 * const builder = new StreamsBuilder();
 * builder.stream('words', { keySerde: Serdes.string, valueSerde: Serdes.string }).groupByKey().count({ name: 'counts' });
 * const streams = new KafkaStreams(builder.build(), { applicationId: 'words', bootstrapServers: ['localhost:9092'] });
 * const server = await serve(streams, { port: 8080 });
 * await streams.start();
 * console.log(server.url);
 * ```
 * @throws StreamsError `STREAMS_PORT` - the port is in use, or the address is none of this machine's. `STREAMS_CONFIG` - others would reach it, and neither `token` nor `open` is given; or the packages that it needs are not installed (`npm install hono @hono/node-server prom-client`).
 */
export async function serve(
  streams: EmbeddedStreams | KafkaStreams,
  options: ServeOptions = {},
): Promise<RunningServer> {
  const {
    port = 8080,
    host = '127.0.0.1',
    logger = silentLogger,
    version = '',
    token,
    open,
    hosts = [],
    ...parts
  } = options;
  const access = { token, hosts, ...(open && { open }) };
  const where = { port, host, logger, version, ...access };
  if (!(streams instanceof KafkaStreams)) return serveClient(servedState(streams), parts, where);
  const served = new ServedKafka(streams.topology, token);
  served.runs(streams);
  // The name that others are told is one to be asked by.
  const known = [...hosts, streams.applicationServer.replace(/:\d+$/, '')];
  const server = await serveClient(served.client, parts, { ...where, hosts: known });
  if (streams.state === 'CREATED' && streams.applicationServer === '')
    streams.applicationServer = endpointOf(server.url, host);
  return server;
}

/** The address at which others reach a server: one that listens everywhere has the machine's name. */
export function endpointOf(url: string, host: string): string {
  const { port } = new URL(url);
  const everywhere = host === '0.0.0.0' || host === '::';
  return `${everywhere ? hostname() : host.includes(':') ? `[${host}]` : host}:${port}`;
}
