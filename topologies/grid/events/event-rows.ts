import type { FetchedRecords } from '../../../src/clients/fetched-records.ts';
import { Zone } from '../../../src/common/time/zone.ts';
import type { Serde } from '../../../src/serde/serde.ts';
import type { ColumnValue, SinkColumn, SinkRows } from '../../../src/sink/sink-rows.ts';
import { CivilTimeWriter } from './civil-text.ts';
import { eventSerde } from './event-serde.ts';
import type { GridEvent } from './grid-event.ts';

const brace = 0x7b;

/**
 * The events of a topic as rows of files: the columns of the event files, parted by the date of occurrence. The value of a message is mostly a row of CSV already: not where
 * that stands in JSON, or has a text with a line end, around which quotes may be missing.
 */
export class EventRows implements SinkRows {
  readonly columns: readonly SinkColumn[] = [
    { name: 'id_evt', type: 'int64' },
    { name: 'date_occur_evt', type: 'timestamp' },
    { name: 'date_system_evt', type: 'timestamp' },
    { name: 'type_evt', type: 'string' },
    { name: 'type_equipement', type: 'string' },
    { name: 'id_equipement', type: 'int64' },
    { name: 'info_div', type: 'string' },
  ];
  readonly #serde: Serde<GridEvent>;
  readonly #times: CivilTimeWriter;
  #event: GridEvent | undefined;

  /** @param zone - IANA name of the zone of the rows' times. */
  constructor(zone: string) {
    this.#serde = eventSerde(zone);
    this.#times = new CivilTimeWriter(Zone.of(zone));
  }

  read(records: FetchedRecords, i: number): number {
    const start = records.valueStarts[i]!;
    if (start < 0) throw new Error('the record has no value');
    this.#event = this.#serde.read!(records.bytes, start, records.valueEnds[i]!);
    return this.#event.occurredAtMs;
  }

  values(out: ColumnValue[]): void {
    const event = this.#event!;
    out[0] = event.eventId;
    out[1] = event.occurredAtMs;
    out[2] = event.arrivedAtMs;
    out[3] = event.type;
    out[4] = event.equipmentType;
    out[5] = event.equipmentId;
    out[6] = event.info;
  }

  timeText(ms: number): string {
    return this.#times.write(ms);
  }

  csvEnd(records: FetchedRecords, i: number): number {
    const { info } = this.#event!;
    if (records.bytes[records.valueStarts[i]!] === brace || (info !== '' && /[\r\n]/.test(info))) return -1;
    return records.valueEnds[i]!;
  }
}
