import { createHash } from 'node:crypto';
import { Zone } from '../common/time/zone.ts';
import { encodersOf } from '../sink/encoders.ts';
import { FileNames } from '../sink/file-names.ts';
import { openTarget } from '../sink/open-target.ts';
import type { FilesSetup } from '../sink/partition-files.ts';
import { type Layout, Periods, type PeriodUnit } from '../sink/periods.ts';
import type { FileFormat } from '../sink/row-encoder.ts';
import { sinkMetrics } from '../sink/sink-metrics.ts';
import { PlainRows, type SinkRows } from '../sink/sink-rows.ts';
import type { SinkTarget } from '../sink/target.ts';
import { TopicSink } from '../sink/topic-sink.ts';
import type { ApplicationSpec } from './application.ts';
import { applicationIdOf } from './application-id.ts';
import type { CommandContext } from './command-spec.ts';
import { httpAccess } from './http-access.ts';
import type { openBroker } from './open-broker.ts';
import { serveMetrics } from './serve-metrics.ts';
import { unlessAborted, untilAborted } from './until-aborted.ts';
import { withCleanup } from './with-cleanup.ts';

/** What is to be written where. */
export interface SinkRequest {
  readonly topic: string;
  readonly to: string;
  readonly format: FileFormat;
  readonly by: PeriodUnit;
  readonly layout: Layout;
  readonly zone: string | undefined;
  readonly rollSize: number;
  readonly rollAfter: number;
  readonly group: string | undefined;
  readonly safeCsv: boolean;
  readonly untilCaughtUp: boolean;
  /** Where `/metrics` is served; undefined: nowhere. */
  readonly port: number | undefined;
  readonly host: string;
}

/** What this run has made visible. */
export interface SinkSummary {
  readonly to: string;
  readonly group: string;
  readonly rows: number;
  /** Records that are not rows. */
  readonly dead: number;
  readonly files: number;
}

/** Writes a topic into files until the signal, or until it has caught up. `serving` gets the address of the metrics. */
export async function sink(
  spec: ApplicationSpec,
  request: SinkRequest,
  context: CommandContext,
  open: typeof openBroker,
  serving: (url: string) => void,
): Promise<SinkSummary> {
  const { config, logger, signal } = context;
  const zone = Zone.of(request.zone ?? spec.defaults.zone);
  return withCleanup(async (defer) => {
    const target = await openTarget(request.to, { timeoutMs: config.get('task.timeout.ms'), logger });
    defer(() => target.close());
    const setup = await setupOf(spec, request, target, zone);
    const groupId = request.group ?? groupOf(applicationIdOf(spec, config), request.topic, target.url);
    const broker = await open(context, groupId);
    defer(() => broker.close());
    const running = new TopicSink({
      broker,
      topic: request.topic,
      groupId,
      setup,
      roll: { bytes: request.rollSize, afterMs: request.rollAfter },
      sessionTimeoutMs: config.get('session.timeout.ms'),
      rebalanceTimeoutMs: config.get('rebalance.timeout.ms'),
      heartbeatIntervalMs: config.get('heartbeat.interval.ms'),
      logger,
    });
    if (request.port !== undefined) {
      const server = await serveMetrics(applicationIdOf(spec, config), sinkMetrics(request.topic, running), {
        ...httpAccess(config),
        host: request.host,
        port: request.port,
        logger,
      });
      defer(() => server.close());
      serving(server.told);
    }
    await unlessAborted(signal, running.start());
    try {
      await Promise.race([
        running.failed,
        request.untilCaughtUp ? running.untilCaughtUp(signal) : untilAborted(signal),
      ]);
    } catch (error) {
      await running.abort();
      throw error;
    }
    await running.close();
    const { rows, dead, files } = running.stats();
    logger.info({ to: target.url, group: groupId, rows, dead, files }, 'wrote the topic into files');
    return { to: target.url, group: groupId, rows, dead, files };
  });
}

async function setupOf(
  spec: ApplicationSpec,
  request: SinkRequest,
  target: SinkTarget,
  zone: Zone,
): Promise<FilesSetup> {
  const { topic, format, by, layout, safeCsv } = request;
  const { sink: own } = await spec.load();
  const prefix = own?.prefix ?? topic;
  const rows = (): SinkRows => own?.rows(zone.name) ?? new PlainRows();
  const periods = new Periods(zone, by);
  return {
    target,
    periods,
    names: new FileNames({ topic, prefix, layout, format, periods }),
    rows,
    encoder: await encodersOf(format, rows().columns, safeCsv),
    form: `${format}${safeCsv ? ' safe' : ''} ${layout} by ${by} ${zone.name} ${prefix}`,
  };
}

/** A sink of the same topic to another place is another reader of the topic. */
function groupOf(applicationId: string, topic: string, url: string): string {
  const place = createHash('sha256').update(url).digest('hex').slice(0, 8);
  return `${applicationId}-sink-${topic}-${place}`;
}
