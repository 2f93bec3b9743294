// The DSL

export { BranchedKStream } from './dsl/branched-kstream.ts';
export { type CalendarUnit, CalendarWindows } from './dsl/calendar-windows.ts';
export { GlobalKTable } from './dsl/global-ktable.ts';
export { KGroupedStream } from './dsl/kgrouped-stream.ts';
export { KGroupedTable } from './dsl/kgrouped-table.ts';
export { KStream } from './dsl/kstream.ts';
export { KTable } from './dsl/ktable.ts';
export type {
  Consumed,
  GlobalJoined,
  Grouped,
  Materialized,
  MaybeMaterialized,
  Named,
  ProcessOptions,
  Produced,
  Repartitioned,
} from './dsl/options.ts';
export {
  type GlobalTableOptions,
  type StateStoreOptions,
  StreamsBuilder,
  type TableOptions,
  type UnstoredTableOptions,
} from './dsl/streams-builder.ts';
export { type Suppressed, untilWindowCloses } from './dsl/suppressed.ts';
export { TimeWindowedKStream } from './dsl/time-windowed-kstream.ts';
export { TimeWindows } from './dsl/time-windows.ts';
export type { Windows } from './dsl/windows.ts';

// The Processor API

export type {
  AnyStore,
  Cancellable,
  Processor,
  ProcessorContext,
  ProcessorSupplier,
  PunctuationType,
  Punctuator,
  RecordMetadata,
} from './processor/processor.ts';
export { type ConsumedRecord, type Header, Record, type TimestampExtractor } from './processor/record.ts';
export type { ValueAndTimestamp, Version, WindowRow } from './processor/rows.ts';
export type { KeyValueStore, VersionedKeyValueStore, WindowStore } from './processor/state-store.ts';

// Topologies

export { type DescribeFormat, TopologyDescription } from './topology/describe.ts';
export { type SinkOptions, type SourceOptions, Topology } from './topology/topology.ts';

// Serdes

export type { Serde } from './serde/serde.ts';
export { Serdes } from './serde/serdes.ts';
export { type Window, Windowed, WindowedSerde } from './serde/windowed.ts';

// Running

export type { Digest } from './runtime/digest.ts';
export type { EmbeddedOptions } from './runtime/embedded-options.ts';
export { EmbeddedStreams, type RunOptions } from './runtime/embedded-streams.ts';
export type { DropReason, EngineStats, StoreStats, StreamsState, TaskStats } from './runtime/engine-stats.ts';
export type { Feed, FeedBatch, FeedProgress, RecordOrigin } from './runtime/feed.ts';
export type { StorePart } from './runtime/parts/store-part.ts';
export type {
  ReadOnlyKeyValueStore,
  ReadOnlyStore,
  ReadOnlyVersionedStore,
  ReadOnlyWindowStore,
  StoreReadOptions,
} from './runtime/read-only-stores.ts';
export { type RebuildRequest, type Rebuilt, rebuildStores } from './runtime/rebuild-stores.ts';
export type { ProcessingExceptionHandler } from './runtime/record-failure.ts';
export type { OutputReceiver, OutputRecord } from './runtime/runtime-nodes.ts';

// Running on Kafka

export type {
  Broker,
  BrokerAdmin,
  BrokerProducer,
  CommittedOffset,
  Fetcher,
  FetcherOptions,
  GroupDescription,
  GroupMember,
  GroupMemberOptions,
  JoinedMember,
  MemberAssignment,
  OffsetAt,
  OffsetToCommit,
  PartitionOffset,
  ProducerOptions,
  RefusedRecord,
  TopicPartition,
  TopicSpec,
} from './clients/broker.ts';
export type { FetchedRecords } from './clients/fetched-records.ts';
export { type KafkaBrokerOptions, openKafkaBroker } from './clients/kafka/kafka-broker.ts';
export type { RestoreProgress } from './runtime/kafka/changelog-follower.ts';
export type {
  BootstrapOptions,
  FromModuleOptions,
  KafkaStreamsOptions,
  RestoreListener,
  UncaughtResponse,
} from './runtime/kafka/kafka-options.ts';
export type { KafkaStats } from './runtime/kafka/kafka-stats.ts';
export { type CloseOptions, KafkaStreams } from './runtime/kafka/kafka-streams.ts';
export { type KafkaRebuildRequest, rebuildStoresOnKafka } from './runtime/kafka/rebuild-stores-on-kafka.ts';
export type { ModuleOptions } from './runtime/kafka/thread-module.ts';

// Databases of state

export type {
  Database,
  DatabaseFactory,
  DatabaseStatus,
  Entry,
  KeyRange,
  Reader,
  Snapshot,
  WriteBatch,
} from '../state/database.ts';
export { type LevelDatabaseOptions, openLevelDatabase } from '../state/level-database.ts';
export { type MemoryDatabase, openMemoryDatabase } from '../state/memory-database.ts';

// Files

export {
  type BadRows,
  type CheckedFile,
  type CheckedFolder,
  type CheckOptions,
  checkFolder,
  type DayGap,
} from './files/check-folder.ts';
export type { CellOf, ColumnSpec, NumberColumn, RowOf, TextColumn, TimeColumn } from './files/csv-columns.ts';
export { type ColumnSpecs, type CsvFormatOptions, type CsvRecordsOptions, csvFormat } from './files/csv-format.ts';
export type { FileDialect, FileSelection } from './files/file-dialect.ts';
export { FolderFeed, type FolderFeedOptions } from './files/folder-feed.ts';
export { Letters } from './files/letters.ts';
export type { LettersOwnerName } from './files/letters-owner.ts';
export {
  BadRow,
  type BadRowReason,
  type DeadReason,
  type DecodedRow,
  deadReasons,
  type RowFile,
  type RowFormat,
  type RowView,
} from './files/row-format.ts';
export type { TextEncoding } from './files/text-encoding.ts';
export type { SecondColumn, TimeForm } from './files/time-column.ts';

// Civil times

export { type CivilTime, formatCivil, parseCivil } from './common/time/civil-pattern.ts';
export { Zone } from './common/time/zone.ts';

// Errors and logging

export { StreamsError, type StreamsErrorCode, type StreamsErrorDetails } from './common/errors.ts';
export { type Logger, silentLogger, stderrLogger } from './common/logger.ts';

// Files of a topic's records: targets

export { MemoryFiles, MemoryTarget } from './sink/memory-target.ts';
export { type OpenTargetOptions, openTarget } from './sink/open-target.ts';
export type { ColumnType, ColumnValue, SinkColumn, SinkRows } from './sink/sink-rows.ts';
export type { PendingFile, SinkTarget, TargetFile } from './sink/target.ts';
