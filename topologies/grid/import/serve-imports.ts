import { applicationIdOf } from '../../../src/cli/application-id.ts';
import type { CommandContext } from '../../../src/cli/command-spec.ts';
import { httpAccess } from '../../../src/cli/http-access.ts';
import { serveMetrics } from '../../../src/cli/serve-metrics.ts';
import { withCleanup } from '../../../src/cli/with-cleanup.ts';
import { writeAddress } from '../../../src/cli/write-address.ts';
import { gridSpec } from '../application-spec.ts';
import type { ImportJob } from './import-job.ts';
import type { ImportReport } from './import-park.ts';
import { ImportStatus } from './import-status.ts';
import { runScheduled, scheduleOf } from './scheduled-imports.ts';

/** How imports are repeated and watched. */
export interface ServeImportsOptions {
  readonly pattern: string;
  /** Of the pattern's hours. */
  readonly zone: string;
  readonly port: number;
  readonly host: string;
  /** Whether stdout is for JSON alone. */
  readonly json: boolean;
  /** Told of each import that succeeded. */
  readonly print: (report: ImportReport) => Promise<void>;
}

/** Imports by a schedule until the signal, with `/metrics` and `/healthz` beside it. */
export async function serveImports(
  job: ImportJob,
  { pattern, zone, port, host, json, print }: ServeImportsOptions,
  context: CommandContext,
): Promise<void> {
  const { logger, signal } = context;
  scheduleOf(pattern, zone);
  const status = new ImportStatus();
  await withCleanup(async (defer) => {
    const server = await serveMetrics(applicationIdOf(gridSpec, context.config), status, {
      host,
      port,
      logger,
      ...httpAccess(context.config),
    });
    defer(() => server.close());
    writeAddress(context, server.told, json);
    const last = await job.last();
    status.remember(last);
    await runScheduled({
      ...{ pattern, zone, logger, signal, lastMs: last && Date.parse(last.at) },
      async run() {
        status.began();
        try {
          const report = await job.run();
          status.succeeded(report);
          await print(report);
        } catch (error) {
          if (!signal.aborted) status.failed();
          throw error;
        }
      },
    });
  });
}
