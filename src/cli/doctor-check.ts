import { StreamsError } from '../common/errors.ts';

/** How a check went. `skipped`: it needs what is not there. */
export type CheckResult = 'ok' | 'warning' | 'failed' | 'skipped';

/** What was looked at, and how it is. */
export interface Check {
  /** Such as `topic grid-events`. */
  readonly about: string;
  readonly result: CheckResult;
  /** What was found, as one sentence without its full stop. */
  readonly text: string;
  /** What to do about it. */
  readonly remedy?: string;
}

/** All is well. */
export function ok(about: string, text: string): Check {
  return { about, result: 'ok', text };
}

/** It works, but not as somebody may expect. */
export function warning(about: string, text: string, remedy: string): Check {
  return { about, result: 'warning', text, remedy };
}

/** It does not work. */
export function failed(about: string, text: string, remedy: string): Check {
  return { about, result: 'failed', text, remedy };
}

/** The checks that a piece of work makes; what it throws is a check that failed. */
export async function guarded(about: string, work: () => Promise<readonly Check[]>): Promise<readonly Check[]> {
  try {
    return await work();
  } catch (error) {
    if (!StreamsError.is(error)) throw error;
    // Its message ends with what to do.
    return [{ about, result: 'failed', text: error.message.replace(/\.$/, '') }];
  }
}

/** How a topic's configuration is changed. */
export function alterTopic(topic: string, name: string, value: string): string {
  const text = value.includes(',') ? `[${value}]` : value;
  return `Set it: kafka-configs.sh --alter --topic ${topic} --add-config ${name}=${text}.`;
}
