import { migratingPart } from '../parts/missing-part.ts';
import { decodeRows, encodeRows } from '../parts/row-frames.ts';
import type { StorePart } from '../parts/store-part.ts';
import type { ByteRow } from '../stores/byte-rows.ts';
import type { FromThread, PartRead, ThreadPort, ToThread } from './thread-messages.ts';
import { receivedError, sentError } from './thread-messages.ts';

/** A store's partition, if it is here. */
export type FindPart = (store: string, partition: number, stale: boolean) => StorePart | undefined;

type Rows = Extract<FromThread, { readonly kind: 'rows' }>;

/** Reads the partitions that another thread has, as bytes in the frames of row-frames.ts: a piece is sent when the one before was taken. */
export class ThreadReads {
  readonly #post: (message: ToThread) => void;
  readonly #waiting = new Map<number, { take: (rows: Rows) => void; fail: (error: unknown) => void }>();
  #lastId = 0;
  #ended = false;

  constructor(post: (message: ToThread) => void) {
    this.#post = post;
  }

  /** A partition there. Whoever reads it while it is on its way is told to ask again. */
  part(store: string, partition: number, stale: boolean): StorePart {
    const place = { store, partition, stale };
    const read = (what: Partial<PartRead>): AsyncGenerator<readonly ByteRow[]> =>
      decodeRows(this.#pieces({ ...place, ...what }));
    return {
      partition,
      async get(startMs, key) {
        let value: Uint8Array | undefined;
        for await (const rows of read({ startMs, key })) value = rows[0]?.value;
        return value?.slice();
      },
      rows: (fromMs, toMs) => read({ fromMs, toMs }),
      rowsOfKey: (key, fromMs, toMs) => read({ key, fromMs, toMs }),
    };
  }

  received(rows: Rows): void {
    this.#waiting.get(rows.id)?.take(rows);
  }

  /** The thread is no more: what is being read of it cannot be read on. */
  end(): void {
    this.#ended = true;
    this.giveUp();
  }

  /** It does not answer: nobody waits any longer for what it was asked. */
  giveUp(): void {
    for (const { fail } of this.#waiting.values()) fail(undefined);
  }

  async *#pieces(read: PartRead): AsyncGenerator<Uint8Array> {
    const id = ++this.#lastId;
    let over = false;
    try {
      for (let message: ToThread = { kind: 'read', id, read }; ; message = { kind: 'next', id }) {
        const { bytes, error } = await this.#asked(message, read);
        over = bytes === undefined;
        if (error !== undefined) throw receivedError(error);
        if (bytes === undefined) return;
        yield bytes;
      }
    } finally {
      this.#waiting.delete(id);
      if (!over && !this.#ended) this.#post({ kind: 'stop', id });
    }
  }

  async #asked(message: Extract<ToThread, { readonly id: number }>, read: PartRead): Promise<Rows> {
    const gone = (): Promise<never> => migratingPart(read.store, read.partition).get(0, new Uint8Array(0)) as never;
    if (this.#ended) return gone();
    const answer = new Promise<Rows | undefined>((take) => {
      this.#waiting.set(message.id, { take, fail: () => take(undefined) });
    });
    this.#post(message);
    return (await answer) ?? gone();
  }
}

/** Answers what {@link ThreadReads} asks. */
export class ThreadAnswers {
  readonly #port: ThreadPort<FromThread, ToThread>;
  readonly #find: FindPart;
  readonly #open = new Map<number, AsyncGenerator<Uint8Array>>();

  constructor(port: ThreadPort<FromThread, ToThread>, find: FindPart) {
    this.#port = port;
    this.#find = find;
  }

  read(id: number, read: PartRead): void {
    this.#open.set(id, encodeRows(this.#rows(read)));
    this.next(id);
  }

  /** Sends the next piece. */
  next(id: number): void {
    const pieces = this.#open.get(id);
    if (pieces !== undefined) void this.#send(id, pieces);
  }

  stop(id: number): void {
    void this.#open.get(id)?.return(undefined);
    this.#open.delete(id);
  }

  async #send(id: number, pieces: AsyncGenerator<Uint8Array>): Promise<void> {
    try {
      const { value: bytes } = await pieces.next();
      if (bytes === undefined) this.#open.delete(id);
      if (bytes === undefined) this.#port.postMessage({ kind: 'rows', id });
      else this.#port.postMessage({ kind: 'rows', id, bytes }, [bytes.buffer as ArrayBuffer]);
    } catch (error) {
      this.#open.delete(id);
      this.#port.postMessage({ kind: 'rows', id, error: sentError(error) });
    }
  }

  async *#rows({ store, partition, stale, key, startMs, fromMs, toMs }: PartRead): AsyncGenerator<readonly ByteRow[]> {
    const part = this.#find(store, partition, stale) ?? migratingPart(store, partition);
    if (startMs !== undefined) {
      const value = await part.get(startMs, key!);
      if (value !== undefined) yield [{ startMs, key: key!, value }];
    } else yield* key === undefined ? part.rows(fromMs!, toMs!) : part.rowsOfKey(key, fromMs!, toMs!);
  }
}
