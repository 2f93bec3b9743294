import { originText } from '../config/config.ts';
import { settingNames } from '../config/settings.ts';
import type { CommandSpec } from './command-spec.ts';
import { defineCommand } from './command-spec.ts';
import { jsonOption } from './option-spec.ts';
import { formatTable } from './table.ts';

/** `config print`: every setting with the place it came from. For any program. */
export function configCommand(program: string): CommandSpec {
  return defineCommand({
    name: 'config print',
    summary: 'print every setting, and where it comes from',
    examples: [
      `${program} config print --config grid.yaml`,
      `WEIR_STATE_DIR=/var/lib/weir ${program} config print --json`,
    ],
    options: [jsonOption],
    kind: 'batch',
    settings: settingNames,
    async run({ config, options, stdout }) {
      const rows = config
        .entries()
        .map(({ name, text, origin }) => ({ name, value: text, origin: originText(origin) }));
      if (options.json) stdout.write(`${JSON.stringify(rows, null, 2)}\n`);
      else
        stdout.write(
          formatTable(
            ['NAME', 'VALUE', 'ORIGIN'],
            rows.map(({ name, value, origin }) => [name, value, origin]),
          ),
        );
    },
  });
}
