import { StreamsError } from '../../../src/common/errors.ts';
import { readTable } from '../park/csv-table.ts';
import type { MadeCommune, MadeCountry, MadeDepartement } from './places.ts';

/**
 * The country of a file of communes with the columns of the park's: `Code INSEE`, `libelle_commune`, `id_departement`, `id_region`. The file does not name departements and regions:
 * they are called by their ids.
 *
 * @throws {@link StreamsError} `STREAMS_FILE` for a file that cannot be read, `STREAMS_INPUT_REFUSED` for one without communes.
 */
export async function knownCountry(file: string): Promise<MadeCountry> {
  const communes = new Map<string, MadeCommune>();
  const departements = new Map<string, MadeDepartement>();
  const regions = new Map<string, { readonly id: string; readonly name: string }>();
  const columns = ['Code INSEE', 'libelle_commune', 'id_departement', 'id_region'];
  await readTable(file, columns, ([code, name, departement, region]) => {
    communes.set(code!, { code: code!, name: name!, departement: departement!, region: region! });
    const key = `${departement}\n${region}`;
    if (!departements.has(key))
      departements.set(key, { id: departement!, region: region!, name: `DEPARTEMENT ${departement}` });
    if (!regions.has(region!)) regions.set(region!, { id: region!, name: `REGION ${region}` });
  });
  if (communes.size === 0)
    throw new StreamsError('STREAMS_INPUT_REFUSED', `${file} holds no commune. Give a file of communes.`, { file });
  // Neighbours hang on one substation: those of a departement stand together.
  const sorted = [...communes.values()].sort((a, b) => (a.code < b.code ? -1 : 1));
  return { communes: sorted, departements: [...departements.values()], regions: [...regions.values()] };
}
