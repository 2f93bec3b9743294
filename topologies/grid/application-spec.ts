import type { ApplicationSpec } from '../../src/cli/application.ts';
import { ownModule, ownPackage } from '../../src/common/own-package.ts';

/** What the commands of the grid's statistics need to know before they work. */
export const gridSpec: ApplicationSpec = {
  name: 'weir',
  version: ownPackage()?.version ?? 'unknown',
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
  module: ownModule('topologies/grid/application-spec')!,
  load: async () => (await import('./application.ts')).gridApplication,
};

export default gridSpec;
