import type { DeliveryPoint, Park, ParkId } from './park.ts';
import type { Place } from './place.ts';

/** Follows the chains of a park from a delivery point or a substation to the place. Equal places are one object. */
export class PlaceFinder {
  readonly #park: Park;
  readonly #ofDeliveryPoints: Map<DeliveryPoint, Place | undefined> = new Map();
  readonly #ofSubstations: Map<ParkId, Place | undefined> = new Map();
  readonly #places: Map<string, Place> = new Map();

  constructor(park: Park) {
    this.#park = park;
  }

  /** id_pdc -> pdc -> its substation, which must be in pdk.csv, and its own commune. Undefined if the chain is broken anywhere. */
  ofDeliveryPoint(pdc: ParkId): Place | undefined {
    const point = this.#park.deliveryPoints.get(pdc);
    if (point === undefined) return undefined;
    if (this.#ofDeliveryPoints.has(point)) return this.#ofDeliveryPoints.get(point);
    const place = this.#park.substations.has(point.pdk) ? this.#place(point.commune, point.pdk) : undefined;
    this.#ofDeliveryPoints.set(point, place);
    return place;
  }

  /** id_pdk -> pdk -> its commune. Undefined if the chain is broken anywhere. */
  ofSubstation(pdk: ParkId): Place | undefined {
    if (this.#ofSubstations.has(pdk)) return this.#ofSubstations.get(pdk);
    const commune = this.#park.substations.get(pdk);
    const place = commune === undefined ? undefined : this.#place(commune, pdk);
    this.#ofSubstations.set(pdk, place);
    return place;
  }

  #place(code: string, pdk: ParkId): Place | undefined {
    const commune = this.#park.communes.get(code);
    if (commune === undefined) return undefined;
    const key = `${code}\n${pdk}`;
    let place = this.#places.get(key);
    if (place === undefined) {
      place = { commune: code, departement: commune.departement, pdk: String(pdk), region: commune.region };
      this.#places.set(key, place);
    }
    return place;
  }
}
