import { readdirSync } from 'node:fs';
import { join } from 'node:path';

/** Tasks that have a folder below a state folder, each with 1: it has some of their state. */
export function storedTasks(stateDir: string): readonly (readonly [taskId: string, reached: number])[] {
  try {
    return readdirSync(join(stateDir, 'tasks'))
      .filter((name) => /^\d+_\d+$/.test(name))
      .map((name) => [name, 1]);
  } catch {
    return [];
  }
}

/** The state folder of a further stream thread of a process: threads share nothing. */
export function threadDirectory(stateDir: string, number: number): string {
  return join(stateDir, 'threads', String(number));
}

/** A process's state folder, and those of its further threads, as they lie on disk. */
export function withThreads(stateDir: string): readonly string[] {
  try {
    const numbers = readdirSync(join(stateDir, 'threads')).filter((name) => /^\d+$/.test(name));
    return [stateDir, ...numbers.map((name) => threadDirectory(stateDir, Number(name)))];
  } catch {
    return [stateDir];
  }
}
