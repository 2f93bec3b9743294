import type { Broker } from '../clients/broker.ts';
import type { Logger } from '../common/logger.ts';
import type { RowFormat } from '../files/row-format.ts';
import type { Version } from '../processor/rows.ts';
import type { EmbeddedStreams } from '../runtime/embedded-streams.ts';
import type { ReadOnlyStore, StoreReadOptions } from '../runtime/read-only-stores.ts';
import type { ServedParts } from '../server/serve-client.ts';
import type { SinkRows } from '../sink/sink-rows.ts';
import type { Topology } from '../topology/topology.ts';

/** What results depend on: given by options of `replay`, kept with the state, not to be changed afterwards. */
export interface ReplaySettings {
  /** IANA zone of civil times and dates. */
  readonly zone: string;
  /** ms after the end of a window in which late records still count. */
  readonly graceMs: number;
  readonly partitions: number;
  /** First civil date, 'YYYY-MM-DD', whose records are read; null: no bound. */
  readonly from: string | null;
  /** First civil date whose records are no longer read; null: no bound. */
  readonly to: string | null;
  /** Number of topics, that is of folders of events. */
  readonly topics: number;
}

/** Results that can be read, wherever they are: what an application's commands and endpoints need of them. */
export interface ReadableState {
  readonly settings: ReplaySettings;
  /** The committed rows of a store. @throws StreamsError `STREAMS_STATE_STORE_UNKNOWN` */
  store(name: string, options?: StoreReadOptions): ReadOnlyStore;
  /**
   * Windows that end up to here take no more records, ms; Infinity once all were closed for good. Ask before the rows are read: those that are read then have all that counts in such a window, while a window that is
   * closed meanwhile may have had more.
   */
  finalUntilMs(): number;
  /**
   * Given to metrics of an instance that shares its work: whether it has the rows of a key of a store now. No too while they are on their way to it or from it. A store gives it
   * no rows of other instances then. Absent: all rows are here.
   */
  owns?(store: string, key: unknown): boolean;
}

/** A state folder that is open in this process. */
export interface OpenState extends ReadableState {
  readonly directory: string;
  readonly streams: EmbeddedStreams;
  /** Gives the folder back. */
  close(): Promise<void>;
}

/** The whole content of a global table: each key and its versions. */
export type Histories = Iterable<readonly [key: unknown, versions: readonly Version<unknown>[]]>;

/** A global table that is loaded from a folder. */
export interface FolderTable {
  /** Name of the store. */
  readonly store: string;
  /** Its option of `replay`, such as `--park <dir>`. */
  readonly flags: string;
  readonly description: string;
}

/** What a global table's topic is to hold. */
export interface TableTopicRequest {
  /** Name of the store. */
  readonly store: string;
  readonly topic: string;
  readonly directory: string;
  readonly settings: ReplaySettings;
  readonly replicationFactor: number;
  readonly logger: Logger;
}

/** What an application's records are as rows of files. */
export interface ApplicationRows {
  /** What the names of files begin with, such as `event`. */
  readonly prefix: string;
  /**
   * Makes what reads a partition's records.
   *
   * @param zone - IANA name of the zone of civil times.
   */
  rows(zone: string): SinkRows;
}

/** The part of an application that does work. It is loaded when a command needs it. */
export interface Application {
  /**
   * The topology over the given topics, which it reads as one.
   *
   * @param tableTopics - Topics of global tables, by the name of their store. @defaultValue the application's own names
   */
  topology(settings: ReplaySettings, topics: readonly string[], tableTopics?: ReadonlyMap<string, string>): Topology;
  /** How rows of a file become records. Called once for each feed. */
  format(settings: ReplaySettings): RowFormat<unknown, unknown>;
  /**
   * True: the value of a message is the row as CSV, the format's columns in their order without a line end, as the topology's source reads it; `produce` then copies the
   * fields as they stand in the file. False: `produce` writes values by the value serde of that source. @defaultValue false
   */
  readonly rowMessages?: boolean;
  /** How `sink` writes the records of the application's topics: the beginning of its files' names, and their rows. @defaultValue key and value as text */
  readonly sink?: ApplicationRows;
  /**
   * Reads a folder of one of {@link ApplicationSpec.tables}.
   *
   * @param told - Called for each file that was read: its name, and its rows; undefined: nothing but its header is needed.
   */
  loadTable?(
    store: string,
    directory: string,
    settings: ReplaySettings,
    told?: (file: string, rows: number | undefined) => void,
  ): Promise<Histories>;
  /** The application's own endpoints, page and metrics. */
  serve?(state: ReadableState): ServedParts;
  /**
   * Makes a global table's topic say what a folder says: creates it if it is missing, and writes the differences. Returns how many keys changed.
   */
  writeTable?(broker: Broker, request: TableTopicRequest): Promise<number>;
  /** Writes the results as files: `replay --out`. */
  export?(state: ReadableState, outDir: string, signal?: AbortSignal): Promise<unknown>;
}

/**
 * An application for whose topology there are commands: `replay`, `serve`, `describe`, `digest`, `repair`.
 *
 * Only what help needs is here; all else is in {@link Application}, so that a command starts fast.
 *
 * @example
 * ```ts
 * const counts: ApplicationSpec = {
 *   name: 'counts',
 *   version: '1.0.0',
 *   applicationId: 'counts',
 *   topic: 'words',
 *   defaults: { zone: 'UTC', grace: '0' },
 *   tables: [],
 *   load: async () => (await import('./counts.ts')).application,
 * };
 * const commands = [replayCommand(counts), serveCommand(counts), describeCommand(counts), digestCommand(counts)];
 * ```
 */
export interface ApplicationSpec {
  /** The program as it is typed: it stands in examples. */
  readonly name: string;
  readonly version: string;
  /** Name of the application on Kafka where `application.id` is not set: its consumer group, and the prefix of its topics. */
  readonly applicationId: string;
  /** Topic of the first folder of events. Further ones get its name with `-2`, `-3`, ... */
  readonly topic: string;
  readonly defaults: {
    readonly zone: string;
    /** As it is typed, such as `24h`. */
    readonly grace: string;
  };
  readonly tables: readonly FolderTable[];
  /**
   * Address of the module whose default export this is, such as `import.meta.url`: stream threads load it. Absent: `num.stream.threads` is 1.
   */
  readonly module?: string | URL;
  /** Gives the part that does work, mostly by a dynamic import. */
  load(): Promise<Application>;
}

/** The topics of so many folders: `events`, `events-2`, `events-3`. */
export function topicsOf(spec: ApplicationSpec, count: number): readonly string[] {
  return Array.from({ length: count }, (_, i) => (i === 0 ? spec.topic : `${spec.topic}-${i + 1}`));
}
