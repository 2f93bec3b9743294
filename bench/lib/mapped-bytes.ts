import { readFileSync } from 'node:fs';

/** Pages of files that this process has mapped, bytes: LevelDB maps its tables. The system takes them back when it needs memory. 0 where it does not tell. */
export function mappedBytes(): number {
  try {
    return Number(/RssFile:\s+(\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}
