import { readFileSync } from 'node:fs';
import type { Outcomes } from './compare.ts';

/** What Kafka Streams does with a kept case, and what it does when the cause of a difference is taken out of it. */
export interface Kept {
  readonly theirs: Outcomes;
  readonly withoutCause?: Outcomes;
}

export function keptFile(name: string): URL {
  return new URL(`kept/${name}.json`, import.meta.url);
}

export function loadKept(name: string): Kept {
  return JSON.parse(readFileSync(keptFile(name), 'utf8')) as Kept;
}
