import type { MadeEquipments } from './made-equipments.ts';

/** The numbers of the equipments of one type that send on a day; days come in ascending order. */
export interface Senders {
  on(day: number): { readonly length: number; readonly [index: number]: number };
}

/** Of a made-up park: a place keeps sending when its equipment is replaced. */
export class ReplacedSenders implements Senders {
  readonly #ids: Int32Array;
  readonly #replacements: [day: number, replacements: { slot: number; equipment: number }[]][];

  constructor(equipments: MadeEquipments) {
    this.#ids = equipments.senders.slice();
    this.#replacements = [...equipments.replacements].sort((a, b) => a[0] - b[0]);
  }

  on(day: number): Int32Array {
    while (this.#replacements.length > 0 && this.#replacements[0]![0] <= day) {
      for (const { slot, equipment } of this.#replacements.shift()![1]) this.#ids[slot] = equipment;
    }
    return this.#ids;
  }
}

/** Of a park that is there: what is installed sends, at a known place or not. */
export class InstalledSenders implements Senders {
  readonly #sending: number[] = [];
  readonly #slots: Map<number, number> = new Map();
  readonly #changes: readonly (readonly [day: number, equipment: number, installed: boolean])[];
  #next = 0;

  /** @param changes - From which day on which equipment is installed, or no longer. */
  constructor(changes: readonly (readonly [day: number, equipment: number, installed: boolean])[]) {
    this.#changes = [...changes].sort((a, b) => a[0] - b[0]);
  }

  on(day: number): readonly number[] {
    for (; this.#next < this.#changes.length && this.#changes[this.#next]![0] <= day; this.#next++) {
      const [, equipment, installed] = this.#changes[this.#next]!;
      if (installed) this.#add(equipment);
      else this.#remove(equipment);
    }
    return this.#sending;
  }

  #add(equipment: number): void {
    if (this.#slots.has(equipment)) return;
    this.#slots.set(equipment, this.#sending.length);
    this.#sending.push(equipment);
  }

  #remove(equipment: number): void {
    const slot = this.#slots.get(equipment);
    if (slot === undefined) return;
    this.#slots.delete(equipment);
    const last = this.#sending.pop()!;
    if (last === equipment) return;
    this.#sending[slot] = last;
    this.#slots.set(last, slot);
  }
}
