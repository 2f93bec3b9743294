/** How fast the generator makes a data set, its true statistics counted beside it. */
import { daysFromCivil } from '../src/common/time/civil.ts';
import { generate } from '../topologies/grid/generator/generate.ts';
import { printConditions } from './lib/conditions.ts';
import { measure } from './lib/figures.ts';
import { freshFolder } from './lib/folders.ts';
import { readOptions } from './lib/options.ts';

const { days, meters, concentrators, runs } = readOptions({ days: 366, meters: 25, concentrators: 5, runs: 3 });
const from = daysFromCivil(2014, 1, 1);
const kinds = { plain: {}, late: { late: true }, damaged: { damage: 0.01 } };

printConditions();
for (let run = 1; run <= runs; run++) {
  for (const [kind, more] of Object.entries(kinds)) {
    const out = await freshFolder('generated');
    const options = { out, from, days, meters, concentrators, seed: run, ...more };
    const title = `generate ${kind}, ${days} days, run ${run} of ${runs}`;
    await measure(
      title,
      ({ rows }) => rows,
      () => generate(options),
    );
  }
}
await freshFolder('generated');
