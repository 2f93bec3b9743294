import { readFileSync } from 'node:fs';

/** Clock ticks a second in which Linux counts the time of processes. */
const ticksPerSecond = 100;

/** What a process has taken so far. */
export interface ProcessUsage {
  /** User and system time of all its threads. */
  readonly cpuSeconds: number;
  /** Bytes that it caused to be written to storage. */
  readonly writtenBytes: number;
}

/** Undefined where the system does not tell, or the process is gone. */
export function usageOf(pid: number): ProcessUsage | undefined {
  try {
    // pid (name) state ...: the name may hold blanks. User and system time are fields 14 and 15.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)!.split(' ');
    const written = /^write_bytes: (\d+)/m.exec(readFileSync(`/proc/${pid}/io`, 'utf8'))?.[1];
    return {
      cpuSeconds: (Number(fields[11]) + Number(fields[12])) / ticksPerSecond,
      writtenBytes: Number(written ?? 0),
    };
  } catch {
    return undefined;
  }
}

export function usageBetween(before: ProcessUsage, after: ProcessUsage): ProcessUsage {
  return {
    cpuSeconds: after.cpuSeconds - before.cpuSeconds,
    writtenBytes: after.writtenBytes - before.writtenBytes,
  };
}
