// Writes the tables of metrics into docs/monitoring.md: node --import tsx test/deploy/write-monitoring.ts
import { readFileSync, writeFileSync } from 'node:fs';
import { withMetrics } from './metrics-markdown.ts';

const page = new URL('../../docs/monitoring.md', import.meta.url);
writeFileSync(page, withMetrics(readFileSync(page, 'utf8')));
