import { type MemoryFiles, MemoryTarget } from '../../src/sink/memory-target.ts';
import type { PendingFile } from '../../src/sink/target.ts';

/** A target whose process dies at its n-th operation: that one and all later ones never return. */
export class DyingTarget extends MemoryTarget {
  left: number;
  readonly died: Promise<void>;
  #die: () => void = () => {};

  constructor(files: MemoryFiles, left: number) {
    super(files);
    this.left = left;
    this.died = new Promise((resolve) => {
      this.#die = resolve;
    });
  }

  async #step(): Promise<void> {
    if (this.left-- > 0) return;
    this.#die();
    await new Promise(() => {});
  }

  override async open(owner: string): Promise<PendingFile> {
    await this.#step();
    const file = await super.open(owner);
    return {
      append: (bytes) => file.append(bytes),
      seal: async (path) => {
        await this.#step();
        await file.seal(path);
        await this.#step();
      },
      abort: () => file.abort(),
    };
  }

  override async commit(path: string): Promise<void> {
    await this.#step();
    await super.commit(path);
    await this.#step();
  }
}
