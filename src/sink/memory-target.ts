import { concatBytes } from '../common/bytes.ts';
import { sinkError } from './sink-error.ts';
import { assertPath, type PendingFile, type SinkTarget, type TargetFile } from './target.ts';

/** A target in the memory of this process, for tests. Several can share one {@link MemoryFiles}, as several processes share a disk. */
export class MemoryTarget implements SinkTarget {
  readonly url = 'memory:';
  readonly #files: MemoryFiles;

  constructor(files: MemoryFiles = new MemoryFiles()) {
    this.#files = files;
  }

  async open(_owner: string): Promise<PendingFile> {
    const { sealed } = this.#files;
    let parts: Uint8Array[] | undefined = [];
    return {
      async append(bytes) {
        if (parts === undefined) throw new TypeError('the file was sealed or given up');
        parts.push(bytes.slice());
      },
      async seal(path) {
        assertPath(path);
        if (parts === undefined) throw new TypeError('the file was sealed or given up');
        sealed.set(path, concatBytes(...parts));
        parts = undefined;
      },
      async abort() {
        parts = undefined;
      },
    };
  }

  async commit(path: string): Promise<void> {
    const { sealed, visible } = this.#files;
    const bytes = sealed.get(path);
    if (!visible.has(path)) {
      if (bytes === undefined)
        throw sinkError(this.url, `${path} is neither complete nor visible`, undefined, 'Write it again.');
      visible.set(path, bytes);
    }
    sealed.delete(path);
  }

  async sealed(): Promise<readonly string[]> {
    const { sealed, visible } = this.#files;
    return [...sealed.keys()].filter((path) => !visible.has(path)).sort();
  }

  async abort(path: string): Promise<void> {
    this.#files.sealed.delete(path);
  }

  async abandon(): Promise<void> {}

  async list(prefix: string): Promise<readonly TargetFile[]> {
    return [...this.#files.visible]
      .filter(([path]) => path.startsWith(prefix))
      .map(([path, { length }]) => ({ path, bytes: length }))
      .sort((a, b) => (a.path < b.path ? -1 : 1));
  }

  async read(path: string): Promise<Uint8Array> {
    const bytes = this.#files.visible.get(path);
    if (bytes === undefined)
      throw sinkError(this.url, `${path} is not there`, undefined, 'Name a file that list() gives.');
    return bytes.slice();
  }

  async remove(path: string): Promise<void> {
    this.#files.visible.delete(path);
  }

  async close(): Promise<void> {}
}

/** What {@link MemoryTarget} keeps. */
export class MemoryFiles {
  readonly visible: Map<string, Uint8Array> = new Map();
  readonly sealed: Map<string, Uint8Array> = new Map();
}
