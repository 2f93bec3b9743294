import type { ApplicationSpec } from './application.ts';
import type { CommandSpec } from './command-spec.ts';
import { defineCommand } from './command-spec.ts';
import { formatOption } from './option-spec.ts';
import { settingsOf } from './replay-settings.ts';

/** `repair`: dead letters as CSV files, to be mended and replayed. For any application. */
export function repairCommand(spec: ApplicationSpec): CommandSpec {
  return defineCommand({
    name: 'repair',
    summary: 'write dead letters as CSV files, to be mended and replayed',
    description:
      'Writes the raw rows of a file of dead or late letters as CSV with a header, one file for each file they came from, and prints their names. ' +
      "Mend the rows, then replay the folder's files as new ones. What an earlier repair wrote to the same folder, or to one of --events, is not written again. A row that was too long is there with its beginning only.",
    examples: [
      `${spec.name} repair --dead .data/state/dead.jsonl --out mended`,
      `${spec.name} repair --dead .data/state/dead.jsonl --out mended --events data/events`,
    ],
    options: [
      { flags: '--dead <file>', description: 'file of dead letters', required: true },
      { flags: '--out <dir>', description: 'folder that gets the CSV files', required: true },
      {
        flags: '--events <dir>',
        description: 'folder of the original files, whose headers the rows then get',
        repeatable: true,
      },
      { ...formatOption, description: 'as the files were read: so are these' },
    ],
    kind: 'batch',
    async run({ options, stdout, logger }) {
      const [{ repairDeadLetters }, { filesFormat }, app] = await Promise.all([
        import('../files/repair.ts'),
        import('./files-format.ts'),
        spec.load(),
      ]);
      const settings = settingsOf(spec, {}, undefined, '');
      const ours = app.format(settings);
      const { files, headers, rows, known, partial } = await repairDeadLetters({
        deadFile: options.dead,
        outDir: options.out,
        format: (await filesFormat(options.format)).over(ours, settings),
        originals: options.events,
      });
      for (const { path } of files) stdout.write(`${path}\n`);
      logger.info({ rows, files: files.length, known, headers }, 'wrote the raw rows of the letters');
      if (partial > 0)
        logger.warn(
          { letters: partial },
          'left out letters of single records of a row that is several: a row that is read again would count all of them',
        );
    },
  });
}
