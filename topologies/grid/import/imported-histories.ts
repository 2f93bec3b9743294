import { Zone } from '../../../src/common/time/zone.ts';
import type { Histories } from '../../../src/runtime/histories.ts';
import type { Version } from '../../../src/runtime/read-only-stores.ts';
import type { Place } from '../park/place.ts';
import { dayStarts, Timeline } from '../park/timeline.ts';
import type { ImportedPark, InstallationColumns } from './imported-park.ts';
import type { InstallationChains } from './installation-chains.ts';

/** The chains of both kinds of equipment. */
export interface ParkChains {
  readonly meters: InstallationChains;
  readonly concentrators: InstallationChains;
}

/**
 * The places over time of each equipment of an imported park, made when they are asked for: what the versioned table of the park is to hold. Keys are `C:8` for meter 8 and `K:8` for
 * concentrator 8; an equipment without installation has no versions.
 */
export class ImportedHistories implements Histories<string, Place> {
  readonly size: number;
  readonly #park: ImportedPark;
  readonly #chains: ParkChains;
  readonly #startOfDay: (day: number) => number;
  readonly #places: Map<number, Place> = new Map();

  constructor(park: ImportedPark, chains: ParkChains, zone: string) {
    this.#park = park;
    this.#chains = chains;
    this.#startOfDay = dayStarts(Zone.of(zone));
    this.size = park.meters.size + park.concentrators.size;
  }

  find(key: string): number {
    const { meters, concentrators } = this.#park;
    const id = key.slice(2);
    if (key.startsWith('C:')) return meters.find(id);
    const found = key.startsWith('K:') ? concentrators.find(id) : -1;
    return found < 0 ? -1 : meters.size + found;
  }

  key(index: number): string {
    const { meters, concentrators } = this.#park;
    return index < meters.size ? `C:${meters.text(index)}` : `K:${concentrators.text(index - meters.size)}`;
  }

  versions(index: number): readonly Version<Place>[] {
    const { meters, meterInstallations, concentratorInstallations } = this.#park;
    const timeline = new Timeline(this.#startOfDay);
    if (index < meters.size)
      this.#add(timeline, index, this.#chains.meters, meterInstallations, (point) => this.#placeOfPoint(point));
    else
      this.#add(timeline, index - meters.size, this.#chains.concentrators, concentratorInstallations, (pdk) =>
        this.#place(this.#park.substationCommune.at(pdk), pdk),
      );
    return timeline.versions;
  }

  #add(
    timeline: Timeline,
    equipment: number,
    { heads, next }: InstallationChains,
    { firstDay, lastDay, place }: InstallationColumns,
    placeOf: (place: number) => Place,
  ): void {
    for (let row = heads[equipment]!; row >= 0; row = next[row]!)
      timeline.add(firstDay.at(row), lastDay.at(row) + 1, placeOf(place.at(row)));
  }

  #placeOfPoint(point: number): Place {
    const { deliveryPointCommune, deliveryPointSubstation } = this.#park;
    return this.#place(deliveryPointCommune.at(point), deliveryPointSubstation.at(point));
  }

  /** Equal places are one object. */
  #place(commune: number, substation: number): Place {
    const { communes, communeDepartement, communeRegion, departements, regions, substations } = this.#park;
    const key = commune * 2 ** 26 + substation;
    let place = this.#places.get(key);
    if (place === undefined) {
      const departement = departements.text(communeDepartement.at(commune)).split('\n')[0]!;
      const region = regions.text(communeRegion.at(commune));
      place = { commune: communes.text(commune), departement, pdk: substations.text(substation), region };
      this.#places.set(key, place);
    }
    return place;
  }
}
