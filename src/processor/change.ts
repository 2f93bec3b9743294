/**
 * An update of a table's row: its new and old value, undefined for none (a deleted or a new row).
 *
 * `oldValue` is only filled where something downstream asked for old values. Kafka Streams: `kstream/internals/Change.java`.
 */
export class Change<V> {
  readonly newValue: V | undefined;
  readonly oldValue: V | undefined;

  constructor(newValue: V | undefined, oldValue: V | undefined) {
    this.newValue = newValue;
    this.oldValue = oldValue;
  }
}
