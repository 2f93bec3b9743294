import type { Serde } from '../serde/serde.ts';

/** A table that every task sees whole: what streams and tables are enriched from. Kafka Streams: `kstream/GlobalKTable.java`. */
export class GlobalKTable<K, V> {
  /** Name of its store. */
  readonly store: string;
  /** Whether joins read the version valid at the row's time. */
  readonly versioned: boolean;
  readonly keySerde: Serde<K>;
  // The value's type is part of the table's, though no field has it.
  declare readonly valueType: V;

  constructor(store: string, versioned: boolean, keySerde: Serde<K>) {
    this.store = store;
    this.versioned = versioned;
    this.keySerde = keySerde;
  }
}
