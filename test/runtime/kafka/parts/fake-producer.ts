import type { BrokerProducer } from '../../../../src/clients/broker.ts';
import type { SimpleRecord } from '../../../../src/clients/memory/records-of.ts';

/** A record that was appended. */
export interface Appended extends SimpleRecord {
  readonly topic: string;
  readonly partition: number;
}

/** A producer that keeps what is appended, and can do nothing else. */
export function fakeProducer(): { readonly producer: BrokerProducer; readonly appended: Appended[] } {
  const appended: Appended[] = [];
  const copy = (bytes: Uint8Array | undefined): Uint8Array | undefined => bytes && new Uint8Array(bytes);
  const never = (): never => {
    throw new TypeError('only append is there');
  };
  const producer: BrokerProducer = {
    append: (topic, partition, timestamp, key, value, headers = []) =>
      void appended.push({ topic, partition, timestamp, key: copy(key), value: copy(value), headers }),
    bufferedBytes: 0,
    hasAppended: false,
    init: never,
    flush: never,
    commit: never,
    abort: never,
    close: never,
  };
  return { producer, appended };
}
