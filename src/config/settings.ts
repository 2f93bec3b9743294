import type { SettingType } from './setting-types.ts';
import {
  boolean,
  bytes,
  choice,
  hostPort,
  hostPorts,
  integer,
  maxTimerMs,
  names,
  optional,
  text,
} from './setting-types.ts';

/** Type of every setting's value, by its name. */
export interface SettingValues {
  readonly 'application.id': string;
  readonly 'application.server': string | undefined;
  readonly 'auto.offset.reset': 'earliest' | 'latest' | 'none';
  readonly 'bootstrap.servers': readonly string[];
  readonly 'bootstrap.timeout.ms': number;
  readonly 'buffered.records.per.partition': number;
  readonly 'check.crcs': boolean;
  readonly 'client.id': string;
  readonly 'commit.interval.ms': number;
  readonly 'commit.interval.records': number;
  readonly 'compression.type': 'none' | 'gzip' | 'lz4' | 'snappy' | 'zstd';
  readonly 'dead.letter.topic.name': string;
  readonly 'deserialization.exception.handler': HandlerChoice;
  readonly 'group.instance.id': string | undefined;
  readonly 'heartbeat.interval.ms': number;
  readonly 'http.hosts': readonly string[];
  readonly 'http.open': boolean;
  readonly 'http.token': string | undefined;
  readonly 'http.token.file': string | undefined;
  readonly 'import.password': string | undefined;
  readonly 'import.password.file': string | undefined;
  readonly 'late.topic.name': string;
  readonly 'max.future.ms': number;
  readonly 'max.task.idle.ms': number;
  readonly 'metadata.max.age.ms': number;
  readonly 'num.standby.replicas': number;
  readonly 'num.stream.threads': number;
  readonly 'processing.exception.handler': HandlerChoice;
  readonly 'processing.guarantee': ProcessingGuarantee;
  readonly 'production.exception.handler': HandlerChoice;
  readonly 'rebalance.timeout.ms': number;
  readonly 'repartition.purge.interval.ms': number;
  readonly 'replication.factor': number;
  readonly 'sasl.mechanism': 'plain' | 'scram-sha-256' | 'scram-sha-512';
  readonly 'sasl.password': string | undefined;
  readonly 'sasl.password.file': string | undefined;
  readonly 'sasl.username': string | undefined;
  readonly 'security.protocol': 'plaintext' | 'ssl' | 'sasl_plaintext' | 'sasl_ssl';
  readonly 'session.timeout.ms': number;
  readonly 'ssl.ca.file': string | undefined;
  readonly 'ssl.certificate.file': string | undefined;
  readonly 'ssl.key.file': string | undefined;
  readonly 'ssl.verify': boolean;
  readonly 'state.dir': string;
  readonly 'statestore.cache.max.bytes': number;
  readonly 'sync.writes': boolean;
  readonly 'task.timeout.ms': number;
  readonly 'transaction.timeout.ms': number;
  readonly 'window.idle.close.ms': number;
}

/** Name of a setting. */
export type SettingName = keyof SettingValues;

/** What becomes of a record that fails: `continue` sends it to the dead letters, `fail` stops at its position. */
export type HandlerChoice = 'continue' | 'fail';

/** Kafka Streams' `exactly_once_v2` is read as `exactly_once`. */
export type ProcessingGuarantee = 'exactly_once' | 'at_least_once';

/** Where the topology runs: over files in one process, or on a broker. Some defaults differ. */
export type Runtime = 'embedded' | 'kafka';

/** What a default may depend on. */
export interface DefaultContext {
  readonly runtime: Runtime;
  /** What the program calls its application. */
  readonly applicationId?: string | undefined;
  get<N extends SettingName>(name: N): SettingValues[N];
}

/** One setting: its type, its default and what it means. */
export interface Setting<T> {
  readonly type: SettingType<T>;
  readonly defaultOf: (context: DefaultContext) => T;
  /** The default in words, for help and docs. */
  readonly defaultText: string;
  readonly doc: string;
  /** It does nothing unless another setting has one of these values. */
  readonly onlyWith?: { readonly setting: SettingName; readonly values: readonly string[] };
  /** Not shown, and not given on a command line, which every process of the machine sees. */
  readonly secret?: true;
  /** Names under which Kafka Streams had it: not accepted, but a hint leads from them to here. */
  readonly formerly?: readonly string[];
}

const handler: SettingType<HandlerChoice> = choice(['continue', 'fail']);
const timerMs = (min: number): SettingType<number> => integer(min, maxTimerMs, 'ms');

const onlyWithTls = { onlyWith: { setting: 'security.protocol', values: ['ssl', 'sasl_ssl'] } } as const;
const onlyWithSasl = { onlyWith: { setting: 'security.protocol', values: ['sasl_plaintext', 'sasl_ssl'] } } as const;

/** Part of a setting whose default is the same everywhere. */
function always<T>(value: T, defaultText = String(value)): Pick<Setting<T>, 'defaultOf' | 'defaultText'> {
  return { defaultOf: () => value, defaultText };
}

/** Every setting, under Kafka Streams' name where Kafka Streams has it. */
export const settings: { readonly [N in SettingName]: Setting<SettingValues[N]> } = {
  'application.id': {
    type: text('letters, digits, ".", "_" and "-", at most 200', /^[\w.-]{1,200}$/),
    defaultOf: ({ applicationId = 'weir' }) => applicationId,
    defaultText: 'that of the program: grid for weir',
    doc: 'Name of the application: its consumer group, and the prefix of its internal topics and transactional ids.',
  },
  'application.server': {
    type: optional(hostPort()),
    ...always(undefined, 'none'),
    doc: 'Address at which the other instances reach this one to ask for keys that it owns.',
  },
  'auto.offset.reset': {
    type: choice(['earliest', 'latest', 'none']),
    ...always('earliest'),
    doc: 'Where a partition begins that the application has no committed position in; `none` stops with an error.',
  },
  'bootstrap.servers': {
    type: hostPorts(),
    ...always<readonly string[]>([], 'none'),
    doc: 'Brokers to ask first, when running on Kafka.',
  },
  'bootstrap.timeout.ms': {
    type: timerMs(1),
    ...always(5000),
    doc: 'How long the addresses of `bootstrap.servers` are tried before any broker has answered: then the command fails. Brokers that have answered once are waited for by `task.timeout.ms`.',
  },
  'buffered.records.per.partition': {
    type: integer(1, undefined, 'records'),
    ...always(10_000),
    doc: 'Records read ahead of a partition before its fetching pauses.',
  },
  'check.crcs': {
    type: boolean(),
    ...always(true),
    doc: 'Whether the CRC-32C of each batch that a broker sends is compared with its bytes. A damaged batch stops the command in any case where it cannot be read.',
  },
  'client.id': {
    type: text('text that is not empty'),
    defaultOf: (context) => context.get('application.id'),
    defaultText: 'application.id',
    doc: 'Name by which brokers know this client in their logs and quotas.',
  },
  'commit.interval.ms': {
    type: timerMs(0),
    defaultOf: ({ runtime, get }) => {
      if (runtime === 'embedded') return 1000;
      return get('processing.guarantee') === 'exactly_once' ? 100 : 30_000;
    },
    defaultText: '1000 over files; on Kafka 100 exactly once, 30000 at least once',
    doc: 'Longest time between two commits while records flow. 0 commits after each batch. A task on Kafka that is more than 20,000 records behind leaves four times as long between two commits as the last one took to write its stores, if that is more; but it commits at least each ten intervals, each second (or tenth of transaction.timeout.ms, if that is less) and after 50,000 records. Over files it is four times as long as the last commit took, if that is more, but not more than ten intervals, while there is more to read at once.',
  },
  'commit.interval.records': {
    type: integer(1, undefined, 'records'),
    defaultOf: ({ runtime }) => (runtime === 'embedded' ? 1_000_000 : 50_000),
    defaultText: '1000000 over files; 50000 for produce',
    doc: 'Commit at the latest after this many records, over files and for `produce`. Tasks on Kafka commit by time, and when their caches are full.',
  },
  'compression.type': {
    type: choice(['none', 'gzip', 'lz4', 'snappy', 'zstd']),
    ...always('none'),
    doc: 'How what is written to the broker is compressed: results, changelogs, repartition topics, what `produce` sends. `zstd` needs Node 22.15 or later; it is read on every Node.',
  },
  'dead.letter.topic.name': {
    type: text('a topic name, or "-" for none', /^[\w.-]{1,249}$/),
    defaultOf: ({ get }) => `${get('application.id')}-dead-letters`,
    defaultText: '<application.id>-dead-letters',
    doc: 'Topic for records that cannot be read or processed, with headers that say why. Made if it does not exist; `-` for none: they are then only counted.',
    formerly: ['errors.dead.letter.queue.topic.name'],
  },
  'deserialization.exception.handler': {
    type: handler,
    ...always('continue'),
    doc: 'What becomes of a row or message that cannot be read: `continue` sends it to the dead letters, `fail` stops at it.',
    formerly: ['default.deserialization.exception.handler'],
  },
  'group.instance.id': {
    type: optional(text('letters, digits, ".", "_" and "-"', /^[\w.-]{1,240}$/)),
    ...always(undefined, 'none'),
    doc: 'Name of an instance of `run` over its restarts (static membership), another one for each: an instance that is back within `session.timeout.ms` has its tasks again, and the others go on undisturbed. Its threads are `<name>-1`, `<name>-2`, ...',
  },
  'heartbeat.interval.ms': {
    type: timerMs(1),
    defaultOf: ({ get }) => Math.min(1000, Math.floor(get('session.timeout.ms') / 3)),
    defaultText: '1000 (a third of session.timeout.ms where that is less)',
    doc: 'How often an instance tells the group that it lives, and learns that tasks are assigned again. Less than `session.timeout.ms`, or it is refused; more than a third of it is told: one that is late may then cost the instance its tasks.',
  },
  'http.hosts': {
    type: names(),
    ...always<readonly string[]>([], 'none'),
    doc: "Names by which the HTTP server is asked, besides `localhost`, the machine's own name, that of `application.server` and addresses in digits. Requests that ask for another name are refused.",
  },
  'http.open': {
    type: boolean(),
    ...always(false),
    doc: 'Whether an HTTP server that others reach answers everybody, where it has no token.',
  },
  'http.token': {
    type: optional(text('text that is not empty')),
    ...always(undefined, 'none'),
    doc: 'Token that every HTTP request must carry, but those for `/healthz` and `/readyz`; the same at all instances. By environment or file only: a command line is seen by every process of the machine.',
    secret: true,
  },
  'http.token.file': {
    type: optional(text('a path')),
    ...always(undefined, 'none'),
    doc: 'File that holds the token and nothing else, as secrets are mounted.',
  },
  'import.password': {
    type: optional(text('text that is not empty')),
    ...always(undefined, 'none'),
    doc: 'Password of the databases that tables are imported from. By environment or file only: a command line is seen by every process of the machine.',
    secret: true,
  },
  'import.password.file': {
    type: optional(text('a path')),
    ...always(undefined, 'none'),
    doc: 'File that holds the password and nothing else, as secrets are mounted.',
  },
  'late.topic.name': {
    type: text('a topic name, or "-" for none', /^[\w.-]{1,249}$/),
    defaultOf: ({ get }) => `${get('application.id')}-late`,
    defaultText: '<application.id>-late',
    doc: 'Topic for records that came after their window and its grace. Made if it does not exist; `-` for none.',
  },
  'max.future.ms': {
    type: integer(0, undefined, 'ms'),
    ...always(3_600_000),
    doc: 'A record whose event time exceeds its arrival time by more goes to the dead letters and moves no clock.',
  },
  'max.task.idle.ms': {
    type: timerMs(-1),
    ...always(0),
    doc: 'How long a task waits for an empty input partition, so that its inputs stay in order of time. 0 waits only for records known to be at the broker, -1 not even for them.',
  },
  'metadata.max.age.ms': {
    type: timerMs(100),
    ...always(300_000),
    doc: 'How often an instance looks at its topics again: whether they are the same, and have as many partitions.',
  },
  'num.standby.replicas': {
    type: integer(0, 100),
    ...always(0),
    doc: 'Copies of each state store that other instances keep warm.',
  },
  'num.stream.threads': {
    type: integer(1, 1024),
    ...always(1),
    doc: "Stream threads of an instance: the first one is the process's own, the others are workers. In a program: `numStreamThreads` of `KafkaStreams.fromModule`. They share `statestore.cache.max.bytes`.",
  },
  'processing.exception.handler': {
    type: handler,
    ...always('fail'),
    doc: 'What becomes of a record whose processor throws: `continue` sends it to the dead letters, `fail` stops at it.',
  },
  'processing.guarantee': {
    type: choice(['exactly_once', 'at_least_once'], { exactly_once_v2: 'exactly_once' }),
    ...always('exactly_once'),
    doc: '`at_least_once` may count twice after a crash, and grouped tables then too high. Files are exactly once in both.',
  },
  'production.exception.handler': {
    type: handler,
    ...always('fail'),
    doc: 'What becomes of a record that the broker refuses: `continue` drops and counts it, `fail` stops. A row for a changelog is never dropped.',
    formerly: ['default.production.exception.handler'],
  },
  'rebalance.timeout.ms': {
    type: timerMs(1000),
    ...always(60_000),
    doc: 'How long the group waits for an instance to join again when tasks are assigned again.',
  },
  'repartition.purge.interval.ms': {
    type: timerMs(100),
    ...always(30_000),
    doc: 'How often records of repartition topics that are consumed are deleted from the broker.',
  },
  'replication.factor': {
    type: integer(-1, 32_767),
    ...always(-1),
    doc: "Copies of internal topics; -1 takes the broker's default.",
  },
  'sasl.mechanism': {
    ...onlyWithSasl,
    type: choice(['plain', 'scram-sha-256', 'scram-sha-512']),
    ...always('plain'),
    doc: 'How the client says who it is, with `security.protocol` sasl_plaintext or sasl_ssl.',
  },
  'sasl.password': {
    ...onlyWithSasl,
    type: optional(text('text that is not empty')),
    ...always(undefined, 'none'),
    doc: 'Password of `sasl.username`. By environment or file only: a command line is seen by every process of the machine.',
    secret: true,
  },
  'sasl.password.file': {
    ...onlyWithSasl,
    type: optional(text('a path')),
    ...always(undefined, 'none'),
    doc: 'File that holds the password and nothing else, as secrets are mounted.',
  },
  'sasl.username': {
    ...onlyWithSasl,
    type: optional(text('text that is not empty')),
    ...always(undefined, 'none'),
    doc: 'User name for SASL.',
  },
  'security.protocol': {
    type: choice(['plaintext', 'ssl', 'sasl_plaintext', 'sasl_ssl']),
    ...always('plaintext'),
    doc: 'Whether the connection to the brokers is encrypted (ssl), and whether the client says who it is (sasl).',
  },
  'session.timeout.ms': {
    type: timerMs(300),
    ...always(45_000),
    doc: 'After so long without a heartbeat an instance counts as gone, and others take its tasks. An instance that is stopped in order leaves at once, unless it has a `group.instance.id`.',
  },
  'ssl.ca.file': {
    ...onlyWithTls,
    type: optional(text('a path')),
    ...always(undefined, 'none (those that Node brings are trusted)'),
    doc: "PEM file with the certificates that the brokers' own are checked against.",
  },
  'ssl.certificate.file': {
    ...onlyWithTls,
    type: optional(text('a path')),
    ...always(undefined, 'none'),
    doc: "PEM file with the client's certificate, where brokers ask for one.",
  },
  'ssl.key.file': {
    ...onlyWithTls,
    type: optional(text('a path')),
    ...always(undefined, 'none'),
    doc: 'PEM file with the key of `ssl.certificate.file`.',
  },
  'ssl.verify': {
    ...onlyWithTls,
    type: boolean(),
    ...always(true),
    doc: '`false` takes any certificate of the broker: whoever is on the way can then read and change everything.',
  },
  'state.dir': {
    type: text('a path'),
    ...always('.data/state'),
    doc: 'Folder of the state stores. A relative path starts at the working directory.',
  },
  'statestore.cache.max.bytes': {
    type: bytes(),
    ...always(64 * 2 ** 20, '67108864 (64MiB)'),
    doc: 'Memory for the write-back caches of all stores: the bytes that serdes write of keys and values, and what a row takes beside them. A commit comes early when dirty rows, counted twice, fill half of it.',
    formerly: ['cache.max.bytes.buffering'],
  },
  'sync.writes': {
    type: boolean(),
    defaultOf: ({ runtime }) => runtime === 'embedded',
    defaultText: 'true over files; false on Kafka, where the changelogs have it',
    doc: 'Whether a commit waits until the disk has it. `false` survives a killed process, not a power cut.',
  },
  'task.timeout.ms': {
    type: timerMs(0),
    ...always(300_000),
    doc: 'How long an operation that the broker does not answer is retried before it fails.',
  },
  'transaction.timeout.ms': {
    type: timerMs(1000),
    ...always(10_000),
    doc: 'After so long the broker gives up a transaction that nobody ends. Until then those who read committed records only wait at it.',
  },
  'window.idle.close.ms': {
    type: timerMs(-1),
    ...always(-1),
    doc: 'When a task has had nothing to read for so long, its clocks move on to the wall clock less this time, so that windows close without a further record. Results then depend on timing. -1: never.',
  },
};

/** Names of all settings, sorted. */
export const settingNames: readonly SettingName[] = Object.keys(settings).sort() as SettingName[];

/** Whether a name is that of a setting. */
export function isSettingName(name: string): name is SettingName {
  return Object.hasOwn(settings, name);
}

/** The environment variable of a setting: `WEIR_COMMIT_INTERVAL_MS` for `commit.interval.ms`. */
export function environmentNameOf(name: string): string {
  return `WEIR_${name.toUpperCase().replaceAll('.', '_')}`;
}
