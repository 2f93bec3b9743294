import { StreamsError } from '../common/errors.ts';
import type { ApplicationSpec } from './application.ts';
import type { CommandSpec } from './command-spec.ts';
import { defineCommand } from './command-spec.ts';
import { stateOption } from './state-options.ts';

/** `verify`: reads all of a state, and says what of it is damaged. For any application. */
export function verifyCommand(spec: ApplicationSpec): CommandSpec {
  return defineCommand({
    name: 'verify',
    summary: 'read all of a state, and say what of it is damaged',
    description:
      'Compares every file of a state folder with its checksums, and with what the others say of it, and prints a line for each that is damaged, missing, cut off or in the place of ' +
      'another. Changes nothing. Ends with 0 if everything is whole, else with 1; with 3 if there is no state, or somebody has it open.',
    examples: [`${spec.name} verify`, `${spec.name} verify --state /var/lib/${spec.name}`],
    options: [stateOption],
    kind: 'batch',
    settings: [],
    async run({ options, stdout }) {
      const { verifyState } = await import('./verify.ts');
      const { looked, cutShort, damages } = await verifyState(options.state);
      for (const { path, what } of damages) stdout.write(`${path} ${what}\n`);
      if (damages.length > 0)
        throw new StreamsError(
          'STREAMS_STATE_STORE_CORRUPT',
          `${options.state} has ${damages.length} ${damages.length === 1 ? 'damage' : 'damages'}. Check the disk; put back a whole copy of the folder, or delete it: replay the input, or on Kafka start run.`,
          { file: options.state },
        );
      for (const path of looked)
        stdout.write(
          cutShort.includes(path)
            ? `${path} is whole but for its last line, which a run that was killed was writing: the next run cuts it off\n`
            : `${path} is whole\n`,
        );
    },
  });
}
