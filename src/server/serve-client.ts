import type { Logger } from '../common/logger.ts';
import { serverNeed, withPackages } from '../common/optional-packages.ts';
import type { AccessOptions } from '../http/access.ts';
import type { PageSpec } from '../http/page/page-spec.ts';
import type { Route } from '../http/route.ts';
import type { RunningServer } from '../http/running-server.ts';
import type { MetricCollector } from '../observability/metric-collector.ts';
import type { EngineStats } from '../runtime/engine-stats.ts';
import type { KafkaStats } from '../runtime/kafka/kafka-stats.ts';
import type { LetterSample } from '../runtime/letter-sample.ts';
import type { SharedParts } from '../runtime/parts/shared-state.ts';
import type { ReadOnlyStore, StoreReadOptions } from '../runtime/read-only-stores.ts';
import type { DescribeFormat } from '../topology/describe.ts';
import type { Topology } from '../topology/topology.ts';

/** What is served of a client, embedded or on Kafka. */
export interface ServedClient {
  readonly topology: Topology;
  /** The folder of its state; undefined until there is a client. */
  stateDir(): string | undefined;
  stats(): EngineStats;
  /** Of a client on Kafka. */
  kafkaStats?(): KafkaStats;
  /** Of a client that reads files. */
  letters?(): readonly LetterSample[];
  storeNames(): readonly string[];
  store(name: string, options?: StoreReadOptions): ReadOnlyStore;
  readonly shared: SharedParts;
}

/** What an application adds to the server of its state. */
export interface ServedParts {
  readonly routes?: readonly Route[];
  readonly page?: PageSpec;
  readonly collectors?: readonly MetricCollector[];
}

/** Where to serve. */
export interface ServeClientOptions extends AccessOptions {
  readonly port: number;
  readonly host: string;
  readonly logger: Logger;
  /** Of the program: shown in `streams_client_info`. */
  readonly version: string;
}

/** Serves a client over HTTP, with the application's parts. */
export async function serveClient(
  client: ServedClient,
  { routes = [], page, collectors = [] }: ServedParts,
  { version, ...where }: ServeClientOptions,
): Promise<RunningServer> {
  // Loaded here, so that a program that doesn't serve starts without them.
  const [{ createServer }, { createMetrics }, { kafkaCollector }, { HttpMetrics }, { diskCollector }] =
    await withPackages(serverNeed, () =>
      Promise.all([
        import('../http/server.ts'),
        import('../observability/registry.ts'),
        import('../observability/kafka-collector.ts'),
        import('../observability/http-metrics.ts'),
        import('../observability/disk-metrics.ts'),
      ]),
    );
  const { kafkaStats } = client;
  const ofKafka = kafkaStats === undefined ? [] : [kafkaCollector(() => kafkaStats.call(client))];
  const http = new HttpMetrics();
  return createServer({
    engine: {
      stats: () => client.stats(),
      describeTopology: (format) => describeTopology(client.topology, format),
      storeNames: () => client.storeNames(),
      store: (name, options) => client.store(name, options),
      ...(kafkaStats && { kafka: () => kafkaStats.call(client) }),
      ...(client.letters && { letters: () => client.letters!() }),
      shared: client.shared,
    },
    metrics: createMetrics({
      stats: () => client.stats(),
      version,
      collectors: [...collectors, ...ofKafka, diskCollector(() => client.stateDir()), http],
      logger: where.logger,
    }),
    routes,
    observed: (route, code, seconds) => http.observe(route, code, seconds),
    ...(page && { page }),
    ...where,
  });
}

/** A topology in words; the text has the stores and the guards of the sources too. Ends with a line end. */
export function describeTopology(topology: Topology, format: DescribeFormat): string {
  const description = topology.describe();
  const text = description.format(format);
  const whole = format === 'text' ? `${text}${description.details()}` : text;
  return whole.endsWith('\n') ? whole : `${whole}\n`;
}
