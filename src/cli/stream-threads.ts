import { randomUUID } from 'node:crypto';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { StreamsError, type StreamsErrorCode } from '../common/errors.ts';
import type { EngineStats } from '../runtime/engine-stats.ts';
import type { KafkaStats } from '../runtime/kafka/kafka-stats.ts';

/** What a thread tells the process's main one. */
type ThreadMessage =
  | { readonly kind: 'stats'; readonly engine: EngineStats; readonly kafka: KafkaStats; readonly endpoint: string }
  | { readonly kind: 'failed'; readonly code: StreamsErrorCode | undefined; readonly message: string };

/** What a further thread is given. */
interface ThreadData {
  readonly [marker]?: number;
  readonly process?: string;
}

const statsIntervalMs = 500;
const marker = 'weir-stream-thread';
const given = workerData as ThreadData | null;

/** A name that all stream threads of this process have, and no other process. */
export const processName: string = (isMainThread ? undefined : given?.process) ?? randomUUID();

/** The number of this thread among the stream threads of the process, from 1 (the main one) on. */
export function threadNumber(): number {
  return isMainThread ? 1 : (given?.[marker] ?? 1);
}

/** One more stream thread of this process: the same program with the same arguments, as a member of the group of its own. */
export class StreamThread {
  engine: EngineStats | undefined;
  kafka: KafkaStats | undefined;
  /** Where its part of the results is asked for; '' before it has started. */
  endpoint = '';
  readonly #worker: Worker;
  readonly #ended: Promise<void>;
  #failure: StreamsError | undefined;

  constructor(number: number, failed: (error: StreamsError) => void) {
    const worker = new Worker(process.argv[1]!, {
      argv: process.argv.slice(2),
      workerData: { [marker]: number, process: processName } satisfies ThreadData,
      stdout: false,
    });
    this.#worker = worker;
    const fail = (error: StreamsError): void => {
      this.#failure ??= error;
      failed(this.#failure);
    };
    worker.on('message', (message: ThreadMessage) => {
      if (message.kind === 'failed') fail(new StreamsError(message.code ?? 'STREAMS_PROCESSING', message.message));
      else {
        this.engine = message.engine;
        this.kafka = message.kafka;
        this.endpoint = message.endpoint;
      }
    });
    worker.on('error', (error) =>
      fail(StreamsError.from(error, 'STREAMS_PROCESSING', `stream thread ${number} failed: ${String(error)}`)),
    );
    this.#ended = new Promise((resolve) => worker.once('exit', () => resolve()));
  }

  /** Lets it commit, leave the group and end. */
  async close(): Promise<void> {
    this.#worker.postMessage('stop');
    await this.#ended;
  }
}

/** In a stream thread that is not the main one: the main one's wish to stop, as a signal. */
export function stopOfMainThread(): AbortSignal | undefined {
  if (parentPort === null) return undefined;
  const controller = new AbortController();
  parentPort.on('message', (message) => {
    if (message === 'stop') controller.abort();
  });
  return controller.signal;
}

/** In a stream thread that is not the main one: tells it how things are, now and then. Returns how to stop that. */
export function tellMainThread(endpoint: string, engine: () => EngineStats, kafka: () => KafkaStats): () => void {
  const port = parentPort;
  if (port === null) return () => {};
  const tell = (): void => {
    const message: ThreadMessage = { kind: 'stats', engine: engine(), kafka: kafka(), endpoint };
    port.postMessage(message);
  };
  tell();
  const timer = setInterval(tell, statsIntervalMs);
  return () => clearInterval(timer);
}

/** In a stream thread that is not the main one: tells it why it ends. */
export function tellFailure(error: unknown): void {
  const message: ThreadMessage = {
    kind: 'failed',
    code: StreamsError.is(error) ? error.code : undefined,
    message: error instanceof Error ? error.message : String(error),
  };
  parentPort?.postMessage(message);
}
