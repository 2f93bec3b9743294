import { statfs } from 'node:fs/promises';
import type { MetricCollector, SetMetric } from './metric-collector.ts';
import { diskMetricSpecs } from './metric-names.ts';

/** How full the file system of a state folder is. Nothing is told while the folder is not there. */
export function diskCollector(stateDir: () => string | undefined): MetricCollector {
  return {
    metrics: diskMetricSpecs,
    async collect(set: SetMetric) {
      const folder = stateDir();
      if (folder === undefined) return;
      const found = await statfs(folder).catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return undefined;
        throw error;
      });
      if (found === undefined) return;
      const { bsize, blocks, bavail } = found;
      set('streams_state_disk_size_bytes', {}, blocks * bsize);
      set('streams_state_disk_free_bytes', {}, bavail * bsize);
    },
  };
}
