import { checkCommand } from '../../src/cli/check-command.ts';
import type { ProgramSpec } from '../../src/cli/command-spec.ts';
import { configCommand } from '../../src/cli/config-command.ts';
import { describeCommand } from '../../src/cli/describe-command.ts';
import { digestCommand } from '../../src/cli/digest-command.ts';
import { doctorCommand } from '../../src/cli/doctor-command.ts';
import { grafanaCommand } from '../../src/cli/grafana-command.ts';
import { lagCommand } from '../../src/cli/lag-command.ts';
import { produceCommand } from '../../src/cli/produce-command.ts';
import { repairCommand } from '../../src/cli/repair-command.ts';
import { replayCommand } from '../../src/cli/replay-command.ts';
import { resetCommand } from '../../src/cli/reset-command.ts';
import { runCommand } from '../../src/cli/run-command.ts';
import { serveCommand } from '../../src/cli/serve-command.ts';
import { sinkCommand } from '../../src/cli/sink-command.ts';
import { verifyCommand } from '../../src/cli/verify-command.ts';
import { gridSpec } from './application-spec.ts';
import { demoCommand } from './commands/demo-command.ts';
import { exportCommand } from './commands/export-command.ts';
import { generateCommand } from './commands/generate-command.ts';
import { parkImportCommand } from './commands/park-import-command.ts';
import { parkLoadCommand } from './commands/park-load-command.ts';
import { parkShowCommand } from './commands/park-show-command.ts';
import { queryCommand } from './commands/query-command.ts';
import { gridPackages } from './packages.ts';

/** `weir`: the statistics of a grid's smart meters on the command line. */
export const gridProgram: ProgramSpec = {
  name: gridSpec.name,
  version: gridSpec.version,
  applicationId: gridSpec.applicationId,
  description:
    "Counts the events of a power grid's smart meters by day, week, month and year: replays files, serves and exports the results.",
  commands: [
    replayCommand(gridSpec),
    checkCommand(gridSpec),
    runCommand(gridSpec),
    produceCommand(gridSpec),
    sinkCommand(gridSpec),
    serveCommand(gridSpec),
    queryCommand,
    exportCommand,
    digestCommand(gridSpec),
    describeCommand(gridSpec),
    lagCommand(gridSpec),
    resetCommand(gridSpec),
    doctorCommand(gridSpec),
    verifyCommand(gridSpec),
    repairCommand(gridSpec),
    parkImportCommand,
    parkLoadCommand(),
    parkShowCommand,
    generateCommand,
    demoCommand,
    grafanaCommand(gridSpec.name, ['engine.json', 'grid.json']),
    configCommand(gridSpec.name),
  ],
  packages: gridPackages,
  groups: { park: 'the park: which equipment is installed where', config: 'settings' },
};
