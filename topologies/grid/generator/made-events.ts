import type { CivilWalk } from './civil-walk.ts';
import type { Random } from './random.ts';
import type { Senders } from './senders.ts';
import { eventsOfDay } from './uneven-days.ts';

/** Code of `ev_C`, `ev_K`, `ev_N`: their index in the list of event types. */
export type TypeCode = 0 | 1 | 2;
/** Code of ev_C, the one type that comes from meters. */
export const meterEvent = 0;

/** What becomes of an event: it is delivered and counts once, its row is damaged and counts nowhere, it is delivered too late to count, or it is delivered twice and counts twice. */
export const fate = { good: 0, damaged: 1, tooLate: 2, twice: 3 } as const;

/** Of 41 events 30 are ev_C, 8 ev_K and 3 ev_N. */
const meterShare = 30;
const meterAndKShare = 38;
const allShares = 41;
const daySeconds = 86_400;
/** In bursts so many tenths of each hour's events come within its first minute. */
const burstTenths = 9;

/** The events of one day in the order of their times, columnar. */
export interface MadeEvents {
  /** The day that they bear. */
  readonly date: CivilWalk;
  readonly length: number;
  /** Second of the day. */
  readonly second: Int32Array;
  readonly type: Uint8Array;
  /** Number of the meter or concentrator, from 1 on. */
  readonly equipment: Int32Array;
  /** A value of {@link fate}. */
  readonly fate: Uint8Array;
}

/** What events are drawn. */
export interface EventPlan {
  readonly eventsPerDay: number;
  readonly bursty: boolean;
  /** Days differ: see {@link eventsOfDay}. */
  readonly uneven: boolean;
  /** Shares of the rows, 0 to 1. */
  readonly damage: number;
  readonly tooLate: number;
  readonly duplicates: number;
}

/** Where chance comes from: what one stream draws does not move the others. */
export interface EventStreams {
  readonly events: Random;
  readonly damage: Random;
  readonly tooLate: Random;
  readonly duplicates: Random;
}

/** Draws the events of day after day. */
export class EventMaker {
  readonly #plan: EventPlan;
  readonly #streams: EventStreams;
  readonly #meters: Senders;
  readonly #concentrators: Senders;

  constructor(plan: EventPlan, meters: Senders, concentrators: Senders, streams: EventStreams) {
    this.#plan = plan;
    this.#streams = streams;
    this.#meters = meters;
    this.#concentrators = concentrators;
  }

  /** The events of a day; days come in ascending order. The arrays are new. Where no equipment sends, the day has none. `mayBeTooLate`: there are files left for those that come too late. */
  make(date: CivilWalk, mayBeTooLate: boolean): MadeEvents {
    const meters = this.#meters.on(date.day);
    const concentrators = this.#concentrators.on(date.day);
    const { eventsPerDay, uneven } = this.#plan;
    const perDay = uneven ? eventsOfDay(date.day, eventsPerDay) : eventsPerDay;
    const length = meters.length + concentrators.length === 0 ? 0 : perDay;
    const second = new Int32Array(length);
    const type = new Uint8Array(length);
    const equipment = new Int32Array(length);
    const random = this.#streams.events;
    for (let i = 0; i < length; i++) {
      second[i] = this.#plan.bursty ? burstSecond(i, length) : Math.floor((i * daySeconds) / length);
      const share = random.below(allShares);
      const drawn = share < meterShare ? meterEvent : share < meterAndKShare ? 1 : 2;
      const code = meters.length === 0 ? Math.max(drawn, 1) : concentrators.length === 0 ? meterEvent : drawn;
      type[i] = code;
      const senders = code === meterEvent ? meters : concentrators;
      equipment[i] = senders[random.below(senders.length)]!;
    }
    return { date, length, second, type, equipment, fate: this.#drawFates(length, mayBeTooLate) };
  }

  #drawFates(length: number, mayBeTooLate: boolean): Uint8Array {
    const fates = new Uint8Array(length);
    const draw = (share: number, random: Random, kind: number): void => {
      if (share === 0) return;
      const below = share * 2 ** 32;
      for (let i = 0; i < length; i++) if (random.next() < below && fates[i] === fate.good) fates[i] = kind;
    };
    const { damage, tooLate, duplicates } = this.#plan;
    draw(damage, this.#streams.damage, fate.damaged);
    draw(mayBeTooLate ? tooLate : 0, this.#streams.tooLate, fate.tooLate);
    draw(duplicates, this.#streams.duplicates, fate.twice);
    return fates;
  }
}

/** Second of the day of the event `i` of `length` in bursts. Whole numbers, so that nothing is rounded to a neighbour. */
function burstSecond(i: number, length: number): number {
  const hour = Math.floor((i * 24) / length);
  const within = i * 24 - hour * length;
  const inBurst = within * 10 < burstTenths * length;
  const second = inBurst
    ? Math.floor((within * 600) / (burstTenths * length))
    : 60 + Math.floor(((within * 10 - burstTenths * length) * 3540) / ((10 - burstTenths) * length));
  return hour * 3600 + second;
}
