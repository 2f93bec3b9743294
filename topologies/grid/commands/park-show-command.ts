import type { CommandSpec } from '../../../src/cli/command-spec.ts';
import { defineCommand } from '../../../src/cli/command-spec.ts';
import { civilDate } from '../../../src/cli/option-parsers.ts';
import type { ResultOutput } from '../../../src/cli/output.ts';
import { parseCivilDate } from '../../../src/common/time/civil.ts';

const chunkLength = 64 * 1024;

/** `park show`: the park as one table. */
export const parkShowCommand: CommandSpec = defineCommand({
  name: 'park show',
  summary: 'print which equipment is installed where',
  description:
    'Prints the park as CSV: a row for each installation of a meter and installation of a concentrator at the same substation that overlap in ' +
    'time, with both places.',
  examples: [
    'weir park show --park data/park',
    'weir park show --park data/park --at 2018-01-31 --out park_information.csv',
  ],
  options: [
    { flags: '--park <dir>', description: 'folder of the park', required: true },
    { flags: '--at <date>', description: 'only installations that hold on this civil date', parse: civilDate },
    { flags: '--out <file>', description: 'write to this file instead of stdout' },
  ],
  kind: 'batch',
  async run({ options, stdout, signal }) {
    const [{ loadPark }, { parkInformation }, { writeWholeFile }] = await Promise.all([
      import('../park/load-park.ts'),
      import('../park/park-information.ts'),
      import('../../../src/files/whole-file.ts'),
    ]);
    const at = options.at === undefined ? undefined : parseCivilDate(options.at);
    const lines = parkInformation(await loadPark(options.park), at);
    if (options.out === undefined) await writeLines(lines, stdout, signal);
    else {
      await writeWholeFile(options.out, async (handle) => {
        for (const chunk of chunksOf(lines)) {
          signal.throwIfAborted();
          await handle.appendFile(chunk);
        }
      });
    }
  },
});

async function writeLines(lines: Iterable<string>, stdout: ResultOutput, signal: AbortSignal): Promise<void> {
  for (const chunk of chunksOf(lines)) {
    if (signal.aborted) return;
    stdout.write(chunk);
    await stdout.flush();
  }
}

function* chunksOf(lines: Iterable<string>): Iterable<string> {
  let chunk = '';
  for (const line of lines) {
    chunk += line;
    if (chunk.length < chunkLength) continue;
    yield chunk;
    chunk = '';
  }
  if (chunk !== '') yield chunk;
}
