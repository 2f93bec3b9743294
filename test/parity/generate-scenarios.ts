/**
 * Writes `scenarios/`: `node --import tsx test/parity/generate-scenarios.ts`. The same list gives the same files, byte for byte.
 */
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import type { ParityInput, ParityScenario } from './load-scenarios.ts';
import { scenarios } from './scenario-list.ts';

const folder = new URL('./scenarios/', import.meta.url);

function recordLine(record: ParityInput): string {
  const { topic, key, value, timestamp } = record;
  const fields = Object.entries({ topic, key, value, timestamp });
  return `{ ${fields.map(([name, field]) => `"${name}": ${JSON.stringify(field)}`).join(', ')} }`;
}

/** One record a line, in the repository's JSON format. */
function scenarioText(scenario: ParityScenario): string {
  const params = JSON.stringify(scenario.params, null, 2).replaceAll('\n', '\n  ');
  return [
    '{',
    `  "topology": ${JSON.stringify(scenario.topology)},`,
    `  "params": ${params},`,
    '  "input": [',
    scenario.input.map((record) => `    ${recordLine(record)}`).join(',\n'),
    '  ]',
    '}',
    '',
  ].join('\n');
}

mkdirSync(folder, { recursive: true });
for (const file of readdirSync(folder)) rmSync(new URL(file, folder));
for (const scenario of scenarios()) writeFileSync(new URL(`${scenario.name}.json`, folder), scenarioText(scenario));
