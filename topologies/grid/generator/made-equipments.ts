import type { Random } from './random.ts';

/** The place of an equipment that is installed nowhere. */
export const nowhere = -1;

/** A row of installation_c.csv or installation_k.csv. Days count from 1970-01-01. */
export interface MadeInstallation {
  readonly equipment: number;
  /** id_pdc or id_pdk. */
  readonly at: number;
  readonly firstDay: number;
}

/** From a day on an equipment is at another spot, or {@link nowhere}. */
export interface Move {
  readonly equipment: number;
  readonly spot: number;
}

/** From a day on another equipment sends events in the place of one that was taken out. */
export interface Replacement {
  /** Index in the list of those that send. */
  readonly slot: number;
  readonly equipment: number;
}

/** The days of the data, and the day from which on everything is installed. */
export interface Span {
  readonly firstDay: number;
  readonly days: number;
  /** Not after `firstDay`. */
  readonly installedDay: number;
}

/**
 * The equipments of one type, ids 1 to `count`, as they truly were: where each is on the first day and what changes on which day. The rows of
 * their installations are written beside, not read: the truth does not depend on the rules by which rows are judged.
 */
export class MadeEquipments {
  readonly count: number;
  /** The first so many are installed at the place of the same id from the start. */
  readonly installed: number;
  readonly installedDay: number;
  /** Last days of these installations, if they end. */
  readonly ends: Map<number, number> = new Map();
  /** All other rows. None of them ends. */
  readonly laterRows: MadeInstallation[] = [];
  /** Spot of each equipment on the first day, at index id - 1. */
  readonly spots: Int32Array;
  readonly moves: Map<number, Move[]> = new Map();
  /** Ids of those that send events on the first day. */
  readonly senders: Int32Array;
  readonly replacements: Map<number, Replacement[]> = new Map();
  readonly #span: Span;
  readonly #random: Random;

  constructor(span: Span, count: number, installed: number, random: Random) {
    this.#span = span;
    this.#random = random;
    this.count = count;
    this.installed = installed;
    this.installedDay = span.installedDay;
    this.spots = new Int32Array(count).fill(nowhere);
    this.senders = Int32Array.from({ length: installed }, (_, i) => i + 1);
  }

  /** The one that takes the place of `old` is installed there on the day after `old` was taken out. Either may send a few days too long or too early. */
  replace(old: number, equipment: number): void {
    const lastDay = this.#dayBeforeChange();
    const day = lastDay + 1;
    this.ends.set(old, lastDay);
    this.laterRows.push({ equipment, at: old, firstDay: day });
    this.#move(day, old, nowhere);
    this.#move(day, equipment, this.spots[old - 1]!);
    const kind = this.#random.below(4);
    const lag = kind === 0 ? 1 + this.#random.below(3) : kind === 1 ? -1 : 0;
    addTo(this.replacements, Math.max(day + lag, this.#span.firstDay + 1), { slot: old - 1, equipment });
  }

  /** Leaves its place, and is at another one on the next day or up to three days later. */
  moveLater(equipment: number, at: number, spot: number): void {
    const lastDay = this.#dayBeforeChange();
    const firstDay = lastDay + 1 + this.#random.below(4);
    this.ends.set(equipment, lastDay);
    this.laterRows.push({ equipment, at, firstDay });
    this.#move(lastDay + 1, equipment, nowhere);
    this.#move(firstDay, equipment, spot);
  }

  /** Is at another place from some day on, but nobody ended the old installation. */
  moveUnended(equipment: number, at: number, spot: number): void {
    const firstDay = this.#dayBeforeChange() + 1;
    this.laterRows.push({ equipment, at, firstDay });
    this.#move(firstDay, equipment, spot);
  }

  /** Has two installations from the same day on; it is at the one with the greater id. */
  installTwice(equipment: number, at: number, spot: number): void {
    this.laterRows.push({ equipment, at, firstDay: this.installedDay });
    this.spots[equipment - 1] = spot;
  }

  #move(day: number, equipment: number, spot: number): void {
    addTo(this.moves, day, { equipment, spot });
  }

  /** A day of the data that is not the last one (unless it is the only one). */
  #dayBeforeChange(): number {
    return this.#span.firstDay + this.#random.below(Math.max(1, this.#span.days - 1));
  }
}

/** Adds an item to the list of a day. */
export function addTo<T>(lists: Map<number, T[]>, day: number, item: T): void {
  const list = lists.get(day);
  if (list === undefined) lists.set(day, [item]);
  else list.push(item);
}
