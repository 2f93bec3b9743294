import type { ApplicationSpec } from './application.ts';
import type { CommandSpec } from './command-spec.ts';
import { defineCommand } from './command-spec.ts';
import { withSource } from './read-source.ts';
import { allSourceSettings, sourceOptions, sourceSettings } from './source-options.ts';

/** `digest`: one hash over the results of a state. For any application. */
export function digestCommand(spec: ApplicationSpec): CommandSpec {
  return defineCommand({
    name: 'digest',
    summary: 'print a hash over the results of a state',
    description:
      'Prints the SHA-256 over all rows of the tables that hold results, as 64 hex digits. Two states with the same results have the same ' +
      'digest, however they came to them: in one run or many, by files or live, with the reference data before or after the events.',
    examples: [
      `${spec.name} digest`,
      `${spec.name} digest --state .data/other --by-store`,
      `${spec.name} digest --url http://127.0.0.1:8080`,
    ],
    options: [...sourceOptions, { flags: '--by-store', description: 'a line for each store: its name and its digest' }],
    kind: 'batch',
    settings: allSourceSettings,
    settingsFor: sourceSettings,
    run: ({ options, config, stdout, signal }) =>
      withSource(spec, { options, config, signal }, async (source) => {
        const { all, byStore } = await source.digest();
        if (options.byStore) for (const [name, digest] of byStore) stdout.write(`${name} ${digest}\n`);
        else stdout.write(`${all}\n`);
      }),
  });
}
