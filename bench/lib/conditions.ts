import { availableParallelism, cpus, loadavg } from 'node:os';

/** Load above which others take a share of the processors that shows in the figures. */
const quietShare = 0.25;

/** Prints on what, and beside what, the program measures: figures from a busy machine are too low. */
export function printConditions(): void {
  const cores = availableParallelism();
  const model = cpus()[0]?.model.trim() ?? 'unknown processor';
  console.log(`${cores} x ${model}, Node ${process.version}, ${loadText()}`);
  if (isBusy())
    console.log('The machine is busy: wall times are too long and rates too low. Measure again when it is not.');
}

/** `load 0.07`, of the last minute; what this program does itself counts too. */
export function loadText(): string {
  return `load ${loadavg()[0]!.toFixed(2)}`;
}

function isBusy(): boolean {
  return loadavg()[0]! > availableParallelism() * quietShare;
}
