import { existsSync, readdirSync, readFileSync } from 'node:fs';

/** A record to pipe into the topology. */
export interface ParityInput {
  readonly topic: string;
  readonly key: string | null;
  readonly value: string | null;
  /** Event time, ms. */
  readonly timestamp: number;
}

/** One file of `scenarios/`: a named topology of README.md, its parameters, and its input in the order of arrival. */
export interface ParityScenario {
  /** The file's name without `.json`: `<topology>.<case>`. */
  readonly name: string;
  readonly topology: string;
  readonly params: Readonly<Record<string, string | number | boolean>>;
  readonly input: readonly ParityInput[];
}

/** A record that Kafka Streams sent to an output topic. Values of any type are printed. */
export interface ParityOutput extends ParityInput {
  /** First ms of the key's window; absent for plain keys. */
  readonly windowStart?: number;
  /** First ms after the key's window. */
  readonly windowEnd?: number;
}

/** A row of a store after the last record. */
export interface ParityRow {
  readonly key: string;
  readonly value: string;
  /** The row's stored timestamp, ms; absent in stores without timestamps. For a version of a versioned store: when it began to be valid. */
  readonly timestamp?: number;
  readonly windowStart?: number;
  readonly windowEnd?: number;
  /** First ms at which a version was no longer valid; absent for plain stores and for the latest version. */
  readonly validTo?: number;
}

/** One file of `expected/`: what Kafka Streams does with the scenario. */
export interface ParityExpected {
  readonly scenario: string;
  /** The sum of `dropped-records-total`. */
  readonly dropped: number;
  /** Over all output topics, in the order in which they were sent. */
  readonly output: readonly ParityOutput[];
  /** By store name; rows by the key's UTF-8 bytes, then by window start or timestamp. */
  readonly stores: Readonly<Record<string, readonly ParityRow[]>>;
}

const folder = new URL('./', import.meta.url);

/** The names of all scenarios, or of those of one topology, sorted. */
export function scenarioNames(topology?: string): string[] {
  return readdirSync(new URL('scenarios/', folder))
    .filter((file) => file.endsWith('.json'))
    .map((file) => file.slice(0, -'.json'.length))
    .filter((name) => topology === undefined || name.startsWith(`${topology}.`))
    .sort();
}

/** @throws Error if there is no such scenario. */
export function loadScenario(name: string): ParityScenario {
  return { name, ...(readJson(`scenarios/${name}.json`) as Omit<ParityScenario, 'name'>) };
}

/**
 * What Kafka Streams does with the scenario; with `cached`, what it does with the stores' caches on, flushed after each record.
 *
 * @throws Error if the scenario was never run through Kafka Streams (`java/run.sh`).
 */
export function loadExpected(name: string, options: { readonly cached?: boolean } = {}): ParityExpected {
  const cached = `expected-cached/${name}.json`;
  const differs = options.cached === true && existsSync(new URL(cached, folder));
  return readJson(differs ? cached : `expected/${name}.json`) as ParityExpected;
}

function readJson(path: string): unknown {
  return JSON.parse(readFileSync(new URL(path, folder), 'utf8'));
}
