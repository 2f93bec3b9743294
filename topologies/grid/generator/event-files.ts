import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Zone } from '../../../src/common/time/zone.ts';
import { eventTypes } from '../statistics/statistic.ts';
import { ByteWriter } from './byte-writer.ts';
import { CivilWalk } from './civil-walk.ts';
import { Damage, type DatesAround, type RowFields } from './damage.ts';
import type { Delivered } from './delivery.ts';
import { endRow, eventHeader, putRow, type RowTemplate, rowTemplate } from './event-row.ts';
import { freeText, lineBreaks } from './free-text.ts';
import type { GeneratePlan } from './generate-plan.ts';
import type { PlacedPark } from './known-park.ts';
import { fate, type TypeCode } from './made-events.ts';
import { Random } from './random.ts';

const noonSecond = 12 * 3600;
/** How far away a date of the future is, days. */
const futureDays = 400;

/** Name of the file of a day. */
export function eventFileName(date: CivilWalk): string {
  return `event_${date.compact}.csv`;
}

/** Templates of the rows of one day's events that arrive on one day: before noon they arrive at 12:00:00, later at 23:59:59. */
interface Templates {
  readonly date: CivilWalk;
  readonly arrivals: readonly [atNoon: string, atNight: string];
  readonly rows: readonly [atNoon: RowTemplate, atNight: RowTemplate];
}

/** Writes `events/event_YYYYMMDD.csv` and `truth/damaged.csv`, and `truth/late.csv` where rows come too late. */
export class EventFiles {
  /** Rows written so far, damaged ones included. */
  rows = 0;
  damaged = 0;
  /** Bytes of the event files. */
  bytes = 0;
  readonly #folder: string;
  readonly #plan: GeneratePlan;
  readonly #damage: Damage;
  readonly #texts: Random;
  readonly #damagedList: ByteWriter;
  readonly #lateList: ByteWriter | undefined;
  readonly #ids: readonly (Float64Array | undefined)[];

  constructor(out: string, plan: GeneratePlan, park: PlacedPark) {
    this.#folder = join(out, 'events');
    this.#plan = plan;
    this.#ids = [park.meters.ids, park.concentrators.ids];
    this.#damage = new Damage(new Random(plan.seed, 'damage'));
    this.#texts = new Random(plan.seed, 'texts');
    mkdirSync(this.#folder, { recursive: true });
    mkdirSync(join(out, 'truth'), { recursive: true });
    this.#damagedList = new ByteWriter(join(out, 'truth', 'damaged.csv'));
    this.#damagedList.text('file,line,offset,reason\n');
    this.#lateList = plan.tooLate > 0 ? new ByteWriter(join(out, 'truth', 'late.csv')) : undefined;
    this.#lateList?.text('file,line,offset\n');
  }

  /** Writes the file of a day. Days come in ascending order. */
  write(date: CivilWalk, deliveries: Iterable<Delivered>): void {
    const out = new ByteWriter(join(this.#folder, eventFileName(date)));
    out.text(`${eventHeader}\n`);
    const templates = new Map<CivilWalk, Templates>();
    let line = 2;
    for (const delivered of deliveries) {
      const day = delivered.events.date;
      let rows = templates.get(day);
      if (rows === undefined) {
        rows = templatesOf(day, date);
        templates.set(day, rows);
      }
      line += this.#writeRow(out, delivered, rows, date, line);
      this.rows++;
    }
    this.bytes += out.offset;
    out.close();
  }

  close(): void {
    this.#damagedList.close();
    this.#lateList?.close();
  }

  /** Writes one row and gives the number of its lines. */
  #writeRow(out: ByteWriter, delivered: Delivered, templates: Templates, date: CivilWalk, line: number): number {
    const { events, index, second } = delivered;
    const half = second < noonSecond ? 0 : 1;
    const type = events.type[index] as TypeCode;
    if (events.fate[index] === fate.damaged) {
      this.#listDamaged(eventFileName(date), line, out.offset, this.#writeDamaged(out, delivered, templates, half));
      return 1;
    }
    const tooLate = events.fate[index] === fate.tooLate;
    if (tooLate) this.#lateList!.text(`${eventFileName(date)},${line},${out.offset}\n`);
    putRow(out, templates.rows[half], events.second[index]!, type, this.#idOf(delivered));
    // Without damage there is no free text, as in the real data; and a late row is to end at its line's end.
    const text = this.#plan.damage > 0 && !tooLate ? freeText(this.#texts) : undefined;
    if (text !== undefined) out.bytes(text);
    endRow(out);
    return text === undefined ? 1 : 1 + lineBreaks(text);
  }

  #writeDamaged(out: ByteWriter, delivered: Delivered, templates: Templates, half: 0 | 1): string {
    const fields = fieldsOf(delivered, this.#idOf(delivered), templates, half);
    const around = datesAround(templates.date.day, this.#plan.zone);
    const { bytes, reason } = this.#damage.damage(fields, around, delivered.last);
    out.bytes(bytes);
    endRow(out);
    return reason;
  }

  #idOf({ events, index }: Delivered): number {
    const number = events.equipment[index]!;
    return this.#ids[events.type[index] === 0 ? 0 : 1]?.[number - 1] ?? number;
  }

  #listDamaged(file: string, line: number, offset: number, reason: string): void {
    this.damaged++;
    this.#damagedList.text(`${file},${line},${offset},${reason}\n`);
  }
}

function templatesOf(date: CivilWalk, arrivalDate: CivilWalk): Templates {
  const arrivals = [`${arrivalDate.text} 12:00:00`, `${arrivalDate.text} 23:59:59`] as const;
  return { date, arrivals, rows: [rowTemplate(date.text, arrivals[0]), rowTemplate(date.text, arrivals[1])] };
}

function fieldsOf(delivered: Delivered, id: number, templates: Templates, half: 0 | 1): RowFields {
  const { events, index } = delivered;
  const second = events.second[index]!;
  const [hours, minutes, seconds] = [Math.floor(second / 3600), Math.floor(second / 60) % 60, second % 60].map((part) =>
    String(part).padStart(2, '0'),
  );
  const type = events.type[index]!;
  return [
    `${templates.date.compact}${hours}${minutes}${seconds}`,
    `${templates.date.text} ${hours}:${minutes}:${seconds}`,
    templates.arrivals[half],
    eventTypes[type]!,
    type === 0 ? 'C' : 'K',
    String(id),
    '',
  ];
}

/** Dates that the zone has: rows from the future are to have no other fault. */
function datesAround(day: number, zone: Zone): DatesAround {
  const existing = (wanted: number, step: number): string => {
    let found = wanted;
    while (!zone.exists(found)) found += step;
    return new CivilWalk(found).text;
  };
  return { before: existing(day - 1, -1), after: existing(day + futureDays, 1) };
}
