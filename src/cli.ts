// The frame of a command line, and the commands of any application: so that a main can pass its own topology

// The frame

export { type CliOptions, runCli } from './cli/cli.ts';
export {
  type CommandContext,
  type CommandKind,
  type CommandSpec,
  defineCommand,
  type ProgramSpec,
} from './cli/command-spec.ts';
export type { ArgumentSpec, OptionSpec } from './cli/option-spec.ts';
export type { ArgumentValue, ArgumentValues, OptionKey, OptionValue, OptionValues } from './cli/option-types.ts';
export type { CliStream, ResultOutput } from './cli/output.ts';
export type { ProgressOptions, ProgressReporter, RunningProgress } from './cli/progress.ts';
export type { ProgressSnapshot } from './cli/progress-text.ts';
export type { SignalSource, StopSignal } from './cli/stop-signals.ts';

// What an application gives

export type {
  Application,
  ApplicationRows,
  ApplicationSpec,
  FolderTable,
  Histories,
  OpenState,
  ReadableState,
  ReplaySettings,
  TableTopicRequest,
} from './cli/application.ts';
export type { ServedParts } from './server/serve-client.ts';

// The commands of any application

export { checkCommand } from './cli/check-command.ts';
export { configCommand } from './cli/config-command.ts';
export { describeCommand } from './cli/describe-command.ts';
export { digestCommand } from './cli/digest-command.ts';
export { doctorCommand } from './cli/doctor-command.ts';
export { grafanaCommand } from './cli/grafana-command.ts';
export { lagCommand } from './cli/lag-command.ts';
export { produceCommand } from './cli/produce-command.ts';
export { repairCommand } from './cli/repair-command.ts';
export { replayCommand } from './cli/replay-command.ts';
export { resetCommand } from './cli/reset-command.ts';
export { runCommand } from './cli/run-command.ts';
export { serveCommand } from './cli/serve-command.ts';
export { sinkCommand } from './cli/sink-command.ts';
export { verifyCommand } from './cli/verify-command.ts';

// Settings

export type { Config } from './config/config.ts';
export type { Runtime, SettingName } from './config/settings.ts';

// What an application serves

export type { ChartKey, ChartSelect, ChartSpec, Choice, PageSpec } from './http/page/page-spec.ts';
export type { QueryParameter, Route, RouteRequest } from './http/route.ts';
export type { MetricCollector, MetricSpec, MetricType, SetMetric } from './observability/metric-collector.ts';
