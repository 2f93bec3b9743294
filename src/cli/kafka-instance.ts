import type { ServedParts } from '../server/serve-client.ts';
import { ServedKafka } from '../server/served-kafka.ts';
import type { Topology } from '../topology/topology.ts';
import type { Application, ReadableState, ReplaySettings } from './application.ts';

/** One process of an application on Kafka, with the endpoints and metrics that the application adds. */
export class KafkaInstance extends ServedKafka {
  readonly #settings: ReplaySettings;

  constructor(topology: Topology, settings: ReplaySettings, token?: string) {
    super(topology, token);
    this.#settings = settings;
  }

  /** The application's endpoints over all tasks; its metrics over those of this process, so that sums over the instances are those of the application. */
  parts(app: Application): ServedParts {
    const all: ReadableState = {
      settings: this.#settings,
      store: (name, options) => this.store(name, options),
      finalUntilMs: () => this.operatorTimeMs - this.#settings.graceMs,
    };
    const own: ReadableState = {
      ...all,
      store: (name) => this.ownStore(name),
      owns: (name, key) => this.owns(name, key),
    };
    return { ...app.serve?.(all), collectors: app.serve?.(own).collectors ?? [] };
  }
}
