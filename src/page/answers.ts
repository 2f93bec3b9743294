/** What the page reads of the server's answers: see `docs/state-and-queries.md` and `docs/monitoring.md`. */

/** A task of `/tasks`. */
export interface TaskView {
  readonly taskId: string;
  readonly topics: readonly string[];
  readonly partition: number;
  readonly processed: number;
  readonly dropped: Readonly<Record<string, number>>;
  readonly streamTimeMs: number | null;
  readonly bufferedRecords: number;
}

/** An input that is read from files. */
export interface FeedView {
  readonly topic: string;
  readonly filesDone: number;
  readonly filesTotal: number;
  readonly rows: number;
  readonly bytes: number;
  readonly bytesTotal: number;
  readonly dead: number;
  readonly late: number;
  readonly deadByReason: Readonly<Record<string, number>>;
  readonly refused?: Readonly<Record<string, string>>;
}

/** A partition that a task reads. */
export interface InputView {
  readonly taskId: string;
  readonly topic: string;
  readonly partition: number;
  readonly position: number;
  readonly end: number | null;
  readonly lag: number | null;
}

/** An instance of the application; what it does not tell is null. */
export interface InstanceView {
  readonly endpoint: string;
  readonly own: boolean;
  readonly active: readonly string[];
  readonly standby: readonly string[];
  readonly state: string | null;
  readonly problem?: string;
  readonly behind: number | null;
  readonly deadLetters: number | null;
  readonly lateLetters: number | null;
}

/** A task of the application; what is not known now is null. */
export interface ApplicationTaskView {
  readonly taskId: string;
  readonly endpoint: string;
  readonly status: string;
  readonly restore?: { readonly restored: number; readonly total: number };
  readonly topics: readonly string[];
  readonly partition: number;
  readonly processed: number | null;
  readonly streamTimeMs: number | null;
  readonly dropped: Readonly<Record<string, number>> | null;
  readonly behind: number | null;
}

/** The answer of `/application`: all instances of an application on Kafka. */
export interface ApplicationView {
  readonly instances: readonly InstanceView[];
  readonly tasks: readonly ApplicationTaskView[];
  readonly inputs: readonly InputView[];
}

/** What only an application on Kafka says. */
export interface KafkaView {
  readonly read: number;
  readonly deadLetters: Readonly<Record<string, number>>;
  readonly lateLetters: number;
  readonly inputs: readonly InputView[];
  readonly unread: readonly { readonly topic: string; readonly partition: number; readonly lag: number }[];
  readonly consumed: Readonly<Record<string, number>>;
  readonly outputs: readonly { readonly topic: string; readonly records: number }[];
}

/** A store of `/stores`. */
export interface StoreView {
  readonly name: string;
  readonly kind: 'key-value' | 'window' | 'versioned';
  readonly hits?: number;
  readonly misses?: number;
  readonly puts?: number;
  readonly cachedEntries?: number;
  readonly dirtyBytes?: number;
}

/** The figures of one moment: `/tasks` with the stores. */
export interface LiveView {
  readonly applicationId: string;
  readonly state: string;
  readonly final: boolean;
  readonly nowMs: number;
  readonly commits: { readonly count: number; readonly lastAtMs: number | null };
  readonly errors: Readonly<Record<string, number>>;
  readonly tasks: readonly TaskView[];
  readonly feeds: readonly FeedView[];
  readonly kafka?: KafkaView;
  readonly stores: readonly StoreView[];
}

/** A node of `/topology?format=json`. */
export interface NodeView {
  readonly kind: 'source' | 'processor' | 'sink';
  readonly name: string;
  readonly topics?: readonly string[];
  readonly topic?: string;
  readonly stores?: readonly string[];
  readonly children?: readonly string[];
}

/** The answer of `/topology?format=json`. */
export interface TopologyView {
  readonly subTopologies: readonly { readonly id: number; readonly nodes: readonly NodeView[] }[];
  readonly stores: readonly { readonly name: string; readonly kind: string }[];
  readonly globalTables: readonly { readonly topic: string; readonly name: string }[];
}
