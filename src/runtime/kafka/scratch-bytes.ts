import type { Serde } from '../../serde/serde.ts';

const scratchLength = 512;

/** Serialized values in one buffer that is used again: each is good until the next. Views are kept, since a new one costs more than what is in it. */
export class ScratchBytes {
  readonly #scratch = new Uint8Array(scratchLength);
  readonly #views: Uint8Array[] = [];

  of(serde: Serde<unknown>, value: unknown): Uint8Array {
    const end = serde.write?.(value, this.#scratch, 0) ?? -1;
    if (end < 0) return serde.serialize(value);
    let view = this.#views[end];
    if (view === undefined) {
      view = this.#scratch.subarray(0, end);
      this.#views[end] = view;
    }
    return view;
  }
}
