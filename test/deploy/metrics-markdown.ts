import type { MetricSpec } from '../../src/observability/metric-collector.ts';
import { engineMetrics, kafkaMetrics, serverMetricSpecs } from '../../src/observability/metric-names.ts';
import { sinkMetricSpecs } from '../../src/sink/sink-metrics.ts';
import { importMetricSpecs } from '../../topologies/grid/import/import-status.ts';
import { gridMetricSpecs } from '../../topologies/grid/statistics/grid-metrics.ts';

const tables: Readonly<Record<string, readonly MetricSpec[]>> = {
  engine: engineMetrics,
  kafka: kafkaMetrics,
  server: serverMetricSpecs,
  sink: sinkMetricSpecs,
  grid: [...gridMetricSpecs, ...importMetricSpecs],
};

/** The page with its tables of metrics as the code has them. */
export function withMetrics(page: string): string {
  return Object.entries(tables).reduce((text, [name, specs]) => {
    const start = `<!-- metrics ${name}: start -->`;
    const end = `<!-- metrics ${name}: end -->`;
    const from = text.indexOf(start);
    const to = text.indexOf(end);
    if (from < 0 || to < from) throw new Error(`the page needs a line "${start}" and a line "${end}"`);
    return `${text.slice(0, from + start.length)}\n\n${tableOf(specs)}\n\n${text.slice(to)}`;
  }, page);
}

function tableOf(specs: readonly MetricSpec[]): string {
  const twins = specs.some(({ kafkaStreams }) => kafkaStreams !== undefined);
  const head = ['metric', 'type', 'labels', 'meaning', ...(twins ? ['Kafka Streams'] : [])];
  const rows = specs.map(({ name, type, labels, help, kafkaStreams = '' }) => [
    `\`${name}\``,
    type,
    labels.join(', '),
    `${help}.`,
    ...(twins ? [kafkaStreams] : []),
  ]);
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i]!.length)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, i) => cell.padEnd(widths[i]!)).join(' | ')} |`;
  return [line(head), `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`, ...rows.map(line)].join('\n');
}
