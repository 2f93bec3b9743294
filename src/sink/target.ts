/** A file as a reader of the target sees it. */
export interface TargetFile {
  /** Relative to the target's root, with `/` between folders. */
  readonly path: string;
  readonly bytes: number;
}

/**
 * A file under way: no reader sees it. Bytes are appended in order; `seal` makes it complete and durable under its final path, still unseen. What is not
 * sealed is lost with the process.
 */
export interface PendingFile {
  /** Appends bytes, which the file may keep until the promise resolves. One call at a time. */
  append(bytes: Uint8Array): Promise<void>;
  /**
   * Ends the file: after it resolves, the file survives this process and waits for {@link SinkTarget.commit} under this path.
   *
   * Sealing a path that is sealed already replaces it: two attempts at one path have the same bytes.
   */
  seal(path: string): Promise<void>;
  /** Gives the file up. Without effect after `seal`. */
  abort(): Promise<void>;
}

/**
 * A place that files are written to: a folder, HDFS, S3, memory. A file appears there whole or not at all, and never changes once it is there.
 *
 * Writing is in two steps, so that files and committed positions agree after a crash at any moment: `open`, `append`, `seal`; then a position is committed that names
 * the sealed files; then `commit` makes each of them visible. Whoever finds that position finishes with the same calls: `commit` of a file that is visible
 * already does nothing.
 *
 * Each adapter passes `sinkTargetConformance` of `weir-streams/testing`. Operations that fail for a cause that may pass (a server away) are tried again until
 * the adapter's deadline.
 * @throws StreamsError `STREAMS_SINK` from every method, with the place and what to do.
 */
export interface SinkTarget {
  /** Where it is, such as `hdfs://namenode:9870/grid`: shown in messages. Without passwords. */
  readonly url: string;
  /**
   * Begins a file.
   *
   * @param owner - Who writes it: letters, digits, `.`, `_` and `-`. What an owner left unsealed can be removed by {@link SinkTarget.abandon}.
   */
  open(owner: string): Promise<PendingFile>;
  /** Makes a sealed file visible. Visible already: nothing happens. @throws StreamsError `STREAMS_SINK` if it is neither sealed nor visible. */
  commit(path: string): Promise<void>;
  /** Paths of the files that are sealed and not visible, sorted. */
  sealed(): Promise<readonly string[]>;
  /** Removes a sealed file that is not visible. One that is not there is fine. */
  abort(path: string): Promise<void>;
  /** Removes what this owner began and did not seal. */
  abandon(owner: string): Promise<void>;
  /** The visible files whose path begins with `prefix`, sorted by path. */
  list(prefix: string): Promise<readonly TargetFile[]>;
  /** The content of a visible file. */
  read(path: string): Promise<Uint8Array>;
  /** Removes a visible file. One that is not there is fine. */
  remove(path: string): Promise<void>;
  /** Gives up what is under way, and closes connections. */
  close(): Promise<void>;
}

/** Below the root: what is under way. Readers of dated folders pass over names that begin with `_`, as Spark and Hive do. */
export const pendingFolder = '_pending';

/** A path as one file name, and back: `20180101/a.csv` is `20180101%2Fa.csv`. */
export function flatName(path: string): string {
  return encodeURIComponent(path);
}

/** The path that {@link flatName} was made of. */
export function pathOf(flat: string): string {
  return decodeURIComponent(flat);
}

/** @throws TypeError for a path that would leave the root, or be taken for something under way. */
export function assertPath(path: string): void {
  const parts = path.split('/');
  if (parts.some((part) => part === '' || part === '.' || part === '..') || parts[0] === pendingFolder)
    throw new TypeError(`'${path}' is not a path below the root of a target`);
}
