import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ApplicationSpec } from '../../src/cli/application.ts';

/** What the commands of the grid's statistics need to know before they work. */
export const gridSpec: ApplicationSpec = {
  name: 'weir',
  version: packageVersion(),
  applicationId: 'grid',
  topic: 'grid-events',
  defaults: { zone: 'Europe/Paris', grace: '24h' },
  tables: [
    {
      store: 'grid-park',
      flags: '--park <dir>',
      description:
        'folder of the park: where which equipment is installed. Without it the park that the state has stays',
    },
  ],
  load: async () => (await import('./application.ts')).gridApplication,
};

/** The version of the package, whose root is two folders above the sources and three above what is built of them. */
function packageVersion(): string {
  for (const up of ['../..', '../../..']) {
    try {
      const file = readFileSync(join(import.meta.dirname, up, 'package.json'), 'utf8');
      const { name, version } = JSON.parse(file) as { readonly name?: string; readonly version?: string };
      if (name === 'weir-streams' && version !== undefined) return version;
    } catch {
      // Looked for in the next place.
    }
  }
  return 'unknown';
}
