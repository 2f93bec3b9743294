import { NamesOfPlaces } from '../park/place-names.ts';
import { IdIndex } from './id-index.ts';
import { IntColumn } from './int-column.ts';

/** Installations of meters or concentrators in columns: row `i` is equipment number `equipment.at(i)` at place number `place.at(i)`, on days since 1970-01-01, both included. */
export interface InstallationColumns {
  readonly equipment: IntColumn;
  readonly place: IntColumn;
  readonly firstDay: IntColumn;
  readonly lastDay: IntColumn;
}

/**
 * The park as an import reads it: ids as dense numbers, rows in columns. A park of a million meters takes about 80 MB.
 *
 * A reference is the number of the row that it names, so it never dangles: rows that would are not taken in.
 */
export class ImportedPark {
  readonly regions: IdIndex = new IdIndex();
  readonly regionNames: string[] = [];
  /** By `departement\nregion`: the id alone does not name one. */
  readonly departements: IdIndex = new IdIndex();
  readonly departementNames: string[] = [];
  readonly communes: IdIndex = new IdIndex();
  readonly communeNames: string[] = [];
  /** Of each commune: the number of its departement, and of its region. */
  readonly communeDepartement: IntColumn = new IntColumn();
  readonly communeRegion: IntColumn = new IntColumn();
  readonly substations: IdIndex = new IdIndex();
  readonly substationCommune: IntColumn = new IntColumn();
  deliveryPoints: IdIndex = new IdIndex();
  readonly deliveryPointSubstation: IntColumn = new IntColumn();
  readonly deliveryPointCommune: IntColumn = new IntColumn();
  readonly meters: IdIndex = new IdIndex();
  readonly concentrators: IdIndex = new IdIndex();
  readonly meterInstallations: InstallationColumns = installationColumns();
  readonly concentratorInstallations: InstallationColumns = installationColumns();

  /** The names of the communes in which a substation or a delivery point is, of their departements and regions. */
  names(): NamesOfPlaces {
    const names = new NamesOfPlaces();
    const used = new Uint8Array(this.communes.size);
    for (const commune of this.substationCommune.values) used[commune] = 1;
    for (const commune of this.deliveryPointCommune.values) used[commune] = 1;
    for (let commune = 0; commune < used.length; commune++) {
      if (used[commune] === 0) continue;
      const [departement, region] = [this.communeDepartement.at(commune), this.communeRegion.at(commune)];
      const [id, regionId] = this.departements.text(departement).split('\n') as [string, string];
      names.add('commune', this.communes.text(commune), this.communeNames[commune]!);
      names.addDepartement({ id, region: regionId, name: this.departementNames[departement]! });
      names.add('region', regionId, this.regionNames[region]!);
    }
    return names;
  }

  /** Forgets the ids of delivery points, which no place names: once all rows are judged they are memory for nothing. */
  forgetDeliveryPoints(): void {
    this.deliveryPoints = new IdIndex();
  }
}

function installationColumns(): InstallationColumns {
  return { equipment: new IntColumn(), place: new IntColumn(), firstDay: new IntColumn(), lastDay: new IntColumn() };
}
