import { randomUUID } from 'node:crypto';
import { createReadStream, type ReadStream } from 'node:fs';
import { type FileHandle, mkdir, open, unlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sinkError } from './sink-error.ts';

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
      await mkdir(directory, { recursive: true });
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

  /** The bytes `[start, end)`, in order. Any number of times. */
  read(start = 0, end: number = this.bytes): ReadStream {
    return createReadStream('', { fd: this.#handle, autoClose: false, start, end: end - 1 });
  }

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
