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
