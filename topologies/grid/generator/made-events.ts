import type { MadeEquipments } from './made-equipments.ts';
import type { Random } from './random.ts';

/** Code of `ev_C`, `ev_K`, `ev_N`: their index in the list of event types. */
export type TypeCode = 0 | 1 | 2;
/** Code of ev_C, the one type that comes from meters. */
export const meterEvent = 0;

/** Of 41 events 30 are ev_C, 8 ev_K and 3 ev_N. */
const meterShare = 30;
const meterAndKShare = 38;
const allShares = 41;
const daySeconds = 86_400;

/** The events of one day in the order of their times, columnar. */
export interface MadeEvents {
  readonly length: number;
  /** Second of the day. */
  readonly second: Int32Array;
  readonly type: Uint8Array;
  /** Id of the meter or concentrator. */
  readonly equipment: Int32Array;
  /** 1 if the row is to be damaged: such an event counts nowhere. */
  readonly damaged: Uint8Array;
}

/** Draws the events of day after day. */
export class EventMaker {
  readonly #perDay: number;
  readonly #damageBelow: number;
  readonly #events: Random;
  readonly #damage: Random;
  readonly #meters: Senders;
  readonly #concentrators: Senders;

  /** `damage`: the share of rows to be damaged, 0 to 1. */
  constructor(
    perDay: number,
    damage: number,
    meters: MadeEquipments,
    concentrators: MadeEquipments,
    streams: { readonly events: Random; readonly damage: Random },
  ) {
    this.#perDay = perDay;
    this.#damageBelow = damage * 2 ** 32;
    this.#events = streams.events;
    this.#damage = streams.damage;
    this.#meters = new Senders(meters);
    this.#concentrators = new Senders(concentrators);
  }

  /** The events of a day; days come in ascending order. The arrays are new. */
  make(day: number): MadeEvents {
    const length = this.#perDay;
    const second = new Int32Array(length);
    const type = new Uint8Array(length);
    const equipment = new Int32Array(length);
    const damaged = new Uint8Array(length);
    const meters = this.#meters.on(day);
    const concentrators = this.#concentrators.on(day);
    const random = this.#events;
    for (let i = 0; i < length; i++) {
      second[i] = Math.floor((i * daySeconds) / length);
      const share = random.below(allShares);
      const code = share < meterShare ? meterEvent : share < meterAndKShare ? 1 : 2;
      type[i] = code;
      const senders = code === meterEvent ? meters : concentrators;
      equipment[i] = senders[random.below(senders.length)]!;
    }
    if (this.#damageBelow > 0) this.#drawDamage(damaged);
    return { length, second, type, equipment, damaged };
  }

  #drawDamage(damaged: Uint8Array): void {
    for (let i = 0; i < damaged.length; i++) damaged[i] = this.#damage.next() < this.#damageBelow ? 1 : 0;
  }
}

/** The equipments of one type that send on the day at hand. */
class Senders {
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
