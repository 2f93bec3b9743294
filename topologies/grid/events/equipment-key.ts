/** C: a meter (compteur). K: a concentrator (concentrateur). */
export type EquipmentType = 'C' | 'K';

const pageBits = 10;
const pageSize = 1 << pageBits;
/** Ids below are looked up by page and place: 16 million. Larger ones go through a Map. */
const pagedIds = 1 << 24;
/** So many keys are remembered, some 100 MB; then all are forgotten, so that input full of unheard-of ids cannot fill the memory. */
const mostKeys = 2_000_000;

/** The keys of one type of equipment, each made once: a shared string has its hash computed already, and costs no memory per event. */
class KeyTable {
  readonly #prefix: string;
  #pages: (string | undefined)[][] = [];
  readonly #others: Map<number, string> = new Map();
  #size = 0;

  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  get(id: number): string {
    if (id >= pagedIds) return this.#others.get(id) ?? this.#add(id);
    const page = this.#pages[id >>> pageBits];
    return page?.[id & (pageSize - 1)] ?? this.#add(id);
  }

  #add(id: number): string {
    if (this.#size++ >= mostKeys) this.#forget();
    const key = this.#prefix + id;
    if (id >= pagedIds) {
      this.#others.set(id, key);
      return key;
    }
    const at = id >>> pageBits;
    // Filled without holes up to the page: V8 keeps such an array as plain memory.
    while (this.#pages.length <= at) this.#pages.push([]);
    const page = this.#pages[at]!;
    if (page.length === 0) for (let i = 0; i < pageSize; i++) page.push(undefined);
    page[id & (pageSize - 1)] = key;
    return key;
  }

  #forget(): void {
    this.#pages = [];
    this.#others.clear();
    this.#size = 1;
  }
}

const meters = new KeyTable('C:');
const concentrators = new KeyTable('K:');

/** The key of an equipment, which is what events are keyed by: 'C:8' for meter 8. Equal keys are the same string object as long as memory allows. */
export function equipmentKeyOf(type: EquipmentType, id: number): string {
  return type === 'C' ? meters.get(id) : concentrators.get(id);
}
