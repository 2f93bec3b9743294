import { fromUtf8Strict, utf8 } from '../../../src/common/bytes.ts';
import { Zone } from '../../../src/common/time/zone.ts';
import type { DecodedRow, RowFormat, RowView } from '../../../src/files/row-format.ts';
import type { Serde } from '../../../src/serde/serde.ts';
import { CivilTimeWriter } from './civil-text.ts';
import { csvField } from './csv-field.ts';
import { eventColumns, eventFormat } from './event-format.ts';
import type { GridEvent } from './grid-event.ts';

const comma = 0x2c;
const quote = 0x22;
const brace = 0x7b;

/**
 * An event as the value of a message: its seven fields as a row of the event files in the canonical order, without a line end.
 *
 * `20171215000010,2017-12-15 00:00:10,2017-12-15 12:00:00,ev_C,C,10,`
 *
 * A row as the only member of a JSON object is read too, whatever the member's name: `{"file_row0": "20171215000010,..."}`.
 *
 * The times are civil times of the zone, so producer and consumer must agree on it. Reading judges as strictly as {@link eventFormat}.
 *
 * @param zone - IANA name, such as 'Europe/Paris'.
 * @throws {@link StreamsError} `STREAMS_CONFIG` for an unknown zone.
 */
export function eventSerde(zone: string): Serde<GridEvent> {
  return new EventSerde(zone);
}

class EventSerde implements Serde<GridEvent> {
  readonly name = 'grid-event';
  readonly #format: RowFormat<string, GridEvent>;
  readonly #times: CivilTimeWriter;
  readonly #out: Partial<DecodedRow<string, GridEvent>> = {};

  constructor(zone: string) {
    this.#format = eventFormat(zone);
    this.#times = new CivilTimeWriter(Zone.of(zone));
  }

  serialize(event: GridEvent): Uint8Array {
    const id = String(event.eventId).padStart(14, '0');
    const times = `${this.#times.write(event.occurredAtMs)},${this.#times.write(event.arrivedAtMs)}`;
    return utf8(`${id},${times},${event.type},${event.equipmentType},${event.equipmentId},${csvField(event.info)}`);
  }

  deserialize(bytes: Uint8Array): GridEvent {
    return this.read(bytes, 0, bytes.length);
  }

  read(bytes: Uint8Array, start: number, end: number): GridEvent {
    if (bytes[start] === brace) {
      const row = rowInJson(bytes, start, end);
      return this.read(row, 0, row.length);
    }
    const out = this.#out as DecodedRow<string, GridEvent>;
    const reason = this.#format.decode(splitRow(bytes, start, end), out);
    if (reason !== undefined)
      throw new Error(`the event row is bad (${reason}): ${Buffer.from(bytes.subarray(start, end)).toString()}`);
    return out.value;
  }

  /** Events are immutable. */
  clone(event: GridEvent): GridEvent {
    return event;
  }
}

/** The row that a JSON object holds. */
function rowInJson(bytes: Uint8Array, start: number, end: number): Uint8Array {
  const text = fromUtf8Strict(bytes.subarray(start, end));
  const members: unknown[] = Object.values(JSON.parse(text) as object);
  const [row] = members;
  if (members.length !== 1 || typeof row !== 'string' || row.startsWith('{'))
    throw new Error(`an event in JSON is an object whose only member is a row, and this is ${text}`);
  return utf8(row.replace(/\r?\n$/, ''));
}

/** The row that {@link splitRow} fills, again and again. */
class SplitRow implements RowView {
  bytes: Uint8Array = new Uint8Array(0);
  readonly starts: Int32Array = new Int32Array(eventColumns.length);
  readonly ends: Int32Array = new Int32Array(eventColumns.length);
}

const row = new SplitRow();

/** The fields of a row whose last one alone may be quoted: the others hold no character that would need it. */
function splitRow(bytes: Uint8Array, start: number, end: number): RowView {
  const count = eventColumns.length;
  const { starts, ends } = row;
  row.bytes = bytes;
  starts[0] = start;
  let field = 0;
  for (let i = start; i < end && field < count - 1; i++) {
    if (bytes[i] !== comma) continue;
    ends[field++] = i;
    starts[field] = i + 1;
  }
  if (field < count - 1) throw new Error(`an event row has ${count} fields, this one ${field + 1}`);
  ends[field] = end;
  if (starts[field]! < end && bytes[starts[field]!] === quote) unquoteLast(start, end);
  else refuseStray(end);
  return row;
}

function refuseStray(end: number): void {
  const { bytes, starts } = row;
  for (let i = starts[6]!; i < end; i++) {
    if (bytes[i] === comma) throw new Error(`an event row has ${eventColumns.length} fields, this one has more`);
    if (bytes[i] === quote) throw new Error('the event row has a quote inside a field that is not quoted');
  }
}

/** The row's bytes belong to somebody else: a row whose last field is quoted is unquoted in a copy. */
function unquoteLast(start: number, end: number): void {
  const last = eventColumns.length - 1;
  // Not slice(): that of a Buffer copies nothing.
  const copy = new Uint8Array(row.bytes.subarray(start, end));
  const { starts, ends } = row;
  for (let field = 0; field <= last; field++) {
    starts[field] = starts[field]! - start;
    ends[field] = ends[field]! - start;
  }
  row.bytes = copy;
  let to = starts[last]!;
  let i = to + 1;
  for (; i < copy.length; i++) {
    if (copy[i] === quote) {
      if (copy[i + 1] !== quote) break;
      i++;
    }
    copy[to++] = copy[i]!;
  }
  if (i !== copy.length - 1) throw new Error('the quotes of the event row do not match');
  ends[last] = to;
}
