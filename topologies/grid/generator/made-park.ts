import type { ParkId } from '../park/park.ts';
import { MadeEquipments, nowhere, type Span } from './made-equipments.ts';
import type { MadeCommune, MadeCountry } from './places.ts';
import type { Random } from './random.ts';

/** A pair of substation and commune, which has all four levels of place. */
export interface Spot {
  readonly pdk: ParkId;
  readonly commune: MadeCommune;
}

/** A made-up park. */
export interface MadePark {
  readonly country: MadeCountry;
  readonly spots: readonly Spot[];
  /** Commune of each substation, index id_pdk - 1. */
  readonly substations: readonly MadeCommune[];
  /** Substation and `Code INSEE` of each delivery point, index id_pdc - 1. Some name what is not there. */
  readonly deliveryPoints: { readonly pdk: readonly ParkId[]; readonly commune: readonly string[] };
  readonly meters: MadeEquipments;
  readonly concentrators: MadeEquipments;
}

/** How large a park is wanted. */
export interface ParkPlan extends Span {
  /** True: without the faults that a park grows with time, installations that overlap and delivery points that hang on nothing. */
  readonly consistent: boolean;
  readonly meters: number;
  readonly concentrators: number;
}

/** A code that no communes.csv has. */
const lostCommune = '00000';

/** Communes that hang on a substation: its own and its neighbours. */
const communesPerSubstation = 4;

/**
 * Makes a park.
 *
 * Most meters hang at a delivery point of their own all the time. Of a thousand some 50 are new ones, which replace others; 20 move to
 * another delivery point, mostly with days between; 5 have a second installation that overlaps the first; 2 hang at a delivery point whose
 * commune or substation is unknown. A consistent park has no such 5 and 2. A small park has at least one of each as far as it has meters.
 */
export function makePark(plan: ParkPlan, country: MadeCountry, random: Random): MadePark {
  const replaced = share(plan.concentrators, 5, 0.02);
  const count = plan.concentrators - replaced;
  const concentrators = new MadeEquipments(plan, plan.concentrators, count, random);
  const substations: MadeCommune[] = [];
  const spots: Spot[] = [];
  for (let i = 0; i < count; i++) {
    const home = random.below(country.communes.length);
    concentrators.spots[i] = spots.length;
    for (let j = 0; j < communesPerSubstation; j++) {
      spots.push({ pdk: i + 1, commune: country.communes[(home + j) % country.communes.length]! });
    }
    substations.push(country.communes[home]!);
  }
  random.distinct(replaced, count).forEach((index, i) => {
    concentrators.replace(index + 1, count + i + 1);
  });
  return { country, spots, substations, concentrators, ...makeMeters(plan, spots, random) };
}

/** A share of `count`, at least one if there are `enough`. */
function share(count: number, enough: number, ratio: number): number {
  return count < enough ? 0 : Math.max(1, Math.round(count * ratio));
}

function makeMeters(
  plan: ParkPlan,
  spots: readonly Spot[],
  random: Random,
): Pick<MadePark, 'meters' | 'deliveryPoints'> {
  const replaced = share(plan.meters, 10, 0.05);
  const count = plan.meters - replaced;
  const moved = share(count, 12, 0.02);
  const overlapping = plan.consistent ? 0 : share(count, 20, 0.005);
  const lost = plan.consistent ? 0 : share(count, 40, 0.002);
  const meters = new MadeEquipments(plan, plan.meters, count, random);
  const points = new DeliveryPoints(spots, random);
  for (let i = 0; i < count; i++) meters.spots[i] = points.add().spot;
  const chosen = random.distinct(replaced + moved + overlapping + lost, count).map((index) => index + 1);
  chosen.splice(0, replaced).forEach((old, i) => {
    meters.replace(old, count + i + 1);
  });
  for (const meter of chosen.splice(0, moved)) {
    const { pdc, spot } = points.add();
    meters.moveLater(meter, pdc, spot);
  }
  chosen.splice(0, overlapping).forEach((meter, i) => {
    const { pdc, spot } = points.add();
    if (i % 2 === 0) meters.moveUnended(meter, pdc, spot);
    else meters.installTwice(meter, pdc, spot);
  });
  chosen.forEach((meter, i) => {
    points.lose(meter, i % 2 === 0);
    meters.spots[meter - 1] = nowhere;
  });
  return { meters, deliveryPoints: points };
}

class DeliveryPoints {
  readonly pdk: ParkId[] = [];
  readonly commune: string[] = [];
  readonly #spots: readonly Spot[];
  readonly #random: Random;

  constructor(spots: readonly Spot[], random: Random) {
    this.#spots = spots;
    this.#random = random;
  }

  /** Adds one at a random spot. */
  add(): { pdc: number; spot: number } {
    const spot = this.#random.below(this.#spots.length);
    const { pdk, commune } = this.#spots[spot]!;
    this.commune.push(commune.code);
    return { pdc: this.pdk.push(pdk), spot };
  }

  /** Breaks the chain of a delivery point at its commune or at its substation. */
  lose(pdc: number, atCommune: boolean): void {
    if (atCommune) this.commune[pdc - 1] = lostCommune;
    else this.pdk[pdc - 1] = Number(this.#spots.at(-1)!.pdk) + 1;
  }
}
