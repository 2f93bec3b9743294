import { randomUUID } from 'node:crypto';
import { type FileHandle, open, unlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { makeFolder } from '../common/make-folder.ts';
import { sinkError } from './sink-error.ts';

const readBytes = 1 << 18;

/**
 * Bytes that wait on this machine's disk until they are complete, so that an upload which fails can be made again. The file has no name: it is gone with the
 * process, whatever ends that.
 */
export class Spool {
  readonly #handle: FileHandle;
  bytes = 0;

  private constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  /** @param directory - Where there is room. @defaultValue the system's folder for temporary files */
  static async open(directory: string = tmpdir()): Promise<Spool> {
    try {
      await makeFolder(directory);
      const path = join(directory, `weir-spool-${randomUUID()}`);
      const handle = await open(path, 'wx+');
      await unlink(path);
      return new Spool(handle);
    } catch (error) {
      throw sinkError(
        directory,
        'files cannot be kept until they are complete',
        error,
        'Set TMPDIR to a folder with room.',
      );
    }
  }

  async append(bytes: Uint8Array): Promise<void> {
    try {
      for (let at = 0; at < bytes.length; )
        at += (await this.#handle.write(bytes, at, bytes.length - at, this.bytes + at)).bytesWritten;
      this.bytes += bytes.length;
    } catch (error) {
      throw sinkError(
        tmpdir(),
        'files cannot be kept until they are complete',
        error,
        'Make room there, or set TMPDIR to another folder.',
      );
    }
  }

  /** All bytes in order, any number of times. A stream of the file itself would close it when its reader fails. */
  read(): Readable {
    return Readable.from(this.#chunks(), { objectMode: false });
  }

  async *#chunks(): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < this.bytes; at += readBytes) yield this.bytesOf(at, Math.min(this.bytes, at + readBytes));
  }

  /** The bytes `[start, end)`. */
  async bytesOf(start: number, end: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(end - start);
    let at = 0;
    while (at < bytes.length) {
      const { bytesRead } = await this.#handle.read(bytes, at, bytes.length - at, start + at);
      if (bytesRead === 0) break;
      at += bytesRead;
    }
    return bytes.subarray(0, at);
  }

  async close(): Promise<void> {
    await this.#handle.close().catch(() => {});
  }
}
