import { spawn } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { Kafka } from 'kafkajs';
import { dashboards } from '/work/main/grafana/dashboards.ts';
import { kafkaMetrics } from '/work/main/src/observability/metric-names.ts';
import { askedBy } from '/work/main/test/deploy/promql.ts';
import { PrometheusServer } from '/work/main/test/integration/helpers/prometheus-server.ts';
import { readCompose } from '/work/main/test/deploy/compose-file.ts';
import { startKafka } from '/work/main/test/helpers/kafka-broker.ts';
const compose = readCompose();
const kafka = await startKafka();
const args = compose.services['topics']!.command!.slice(1).map((a) => a.replace('kafka:9092', kafka.bootstrap));
await kafka.tool('org.apache.kafka.tools.TopicCommand', args);
const main = ['--import', 'tsx', 'topologies/grid/main.ts'];
const sh = (a: string[]) => new Promise((r) => spawn(process.execPath, [...main, ...a], { stdio: 'inherit' }).on('close', r));
await sh(['generate', '--out', '/tmp/rr/data', '--from', '2024-01-01', '--days', '6', '--meters', '200', '--concentrators', '20', '--seed', '1', '--late', '--events-per-day', '5000']);
const k = new Kafka({ brokers: [kafka.bootstrap], logLevel: 1 });
const producer = k.producer(); await producer.connect();
const send = async (file: string, pace: number) => {
  const rows = readFileSync(`/tmp/rr/data/events/${file}`, 'utf8').split('\n').slice(1, -1);
  for (let i = 0; i < rows.length; i += 500) {
    await producer.send({ topic: 'grid-events', messages: rows.slice(i, i + 500).map((row) => { const f = row.split(','); return { key: `${f[4]}:${f[5]}`, value: row, timestamp: String(Date.parse(f[1]!.replace(' ', 'T') + 'Z') - 3600000) }; }) });
    if (pace) await new Promise((r) => setTimeout(r, pace));
  }
};
const files = readdirSync('/tmp/rr/data/events').sort();
for (const f of files.slice(0, 5)) await send(f, 0);
const port = 18099;
const run = spawn(process.execPath, [...main, 'run', '--brokers', kafka.bootstrap, '--topic', 'grid-events', '--state', '/tmp/rr/state', '--park', '/tmp/rr/data/park', '--application-id', 'grid', '--port', String(port), '--host', '127.0.0.1'], { stdio: 'inherit', env: { ...process.env, WEIR_APPLICATION_SERVER: `127.0.0.1:${port}` } });
for (let i = 0; i < 60; i++) { const r = await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => undefined); if (r?.status === 200) { console.log('ready after', i, 's'); break; } await new Promise((x) => setTimeout(x, 1000)); }
const p = await PrometheusServer.start(compose.services['prometheus']!.command!, `127.0.0.1:${port}`);
const sending = send(files[5]!, 2000);
await new Promise((r) => setTimeout(r, 15000));
const kset = new Set(kafkaMetrics.map((x) => x.name));
for (const d of Object.values(dashboards)) for (const panel of d.panels) if (panel.type !== 'row') for (const { expr } of panel.targets) {
  const q = expr.replaceAll('$job', 'weir').replaceAll('$instance', '.*').replaceAll('$__rate_interval', '15s');
  const r = await p.query(q);
  const isK = askedBy(expr).selectors.some((x) => kset.has(x.metric));
  console.log(isK ? 'K' : ' ', r.some((x) => Number.isFinite(x.value)) ? 'ok' : 'NONE', panel.title, r.slice(0,3).map((x) => JSON.stringify(Object.values(x.metric))+x.value).join(' '));
}
const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
console.log('series', metrics.split('\n').filter((l) => l && !l.startsWith('#')).length);
run.kill('SIGTERM'); await new Promise((r) => run.on('close', (c) => { console.log('run exit', c); r(0); }));
await sending; await producer.disconnect(); await p.stop(); await kafka.stop();
