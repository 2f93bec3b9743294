import { Spool } from './spool.ts';
import type { PendingFile } from './target.ts';

/** A file that is gathered on this machine and sent when it is complete. */
export class SpooledFile implements PendingFile {
  readonly #spool: Spool;
  readonly #upload: (path: string, spool: Spool) => Promise<void>;
  #ended = false;

  private constructor(spool: Spool, upload: (path: string, spool: Spool) => Promise<void>) {
    this.#spool = spool;
    this.#upload = upload;
  }

  /** @param upload - Sends the bytes and makes them last, unseen. */
  static async open(upload: (path: string, spool: Spool) => Promise<void>): Promise<SpooledFile> {
    return new SpooledFile(await Spool.open(), upload);
  }

  async append(bytes: Uint8Array): Promise<void> {
    this.#assertOpen();
    await this.#spool.append(bytes);
  }

  async seal(path: string): Promise<void> {
    this.#assertOpen();
    this.#ended = true;
    try {
      await this.#upload(path, this.#spool);
    } finally {
      await this.#spool.close();
    }
  }

  async abort(): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    await this.#spool.close();
  }

  #assertOpen(): void {
    if (this.#ended) throw new TypeError('the file was sealed or given up');
  }
}
