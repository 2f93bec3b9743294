import { constants } from 'node:os';
import { untilAborted } from './until-aborted.ts';

/** The signals that ask a process to end. */
export type StopSignal = 'SIGINT' | 'SIGTERM';

/** Where signals come from: `process`, or an event emitter in its place. */
export interface SignalSource {
  /** Calls the listener at each such signal. */
  on(name: StopSignal, listener: (name: StopSignal) => void): unknown;
  /** Calls it no more. */
  off(name: StopSignal, listener: (name: StopSignal) => void): unknown;
}

/** The exit code of a process that a signal ended: 130 for SIGINT, 143 for SIGTERM. */
export function exitCodeOfSignal(signal: StopSignal): number {
  return 128 + constants.signals[signal];
}

/** Turns the first signal into an abort, and the second into an exit code at once. */
export class StopSignals {
  readonly #controller = new AbortController();
  readonly #source: SignalSource;
  readonly #listener: (name: StopSignal) => void;
  #first: StopSignal | undefined;
  readonly #overdue = new Set<NodeJS.Timeout>();
  /** Resolves with the exit code at the second signal. */
  readonly second: Promise<number>;

  /** @param onFirst - called at the first signal, before the abort */
  constructor(source: SignalSource, onFirst: (signal: StopSignal) => void) {
    let end: (code: number) => void;
    this.second = new Promise((resolve) => {
      end = resolve;
    });
    this.#source = source;
    this.#listener = (name) => {
      if (this.#first !== undefined) {
        end(exitCodeOfSignal(name));
        return;
      }
      this.#first = name;
      onFirst(name);
      this.#controller.abort();
    };
    source.on('SIGINT', this.#listener);
    source.on('SIGTERM', this.#listener);
  }

  /** What a command listens to. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** The first signal, if one came. */
  get first(): StopSignal | undefined {
    return this.#first;
  }

  /** Resolves so many ms after the first signal; after now where it has come already. */
  async lateBy(ms: number): Promise<void> {
    await untilAborted(this.signal);
    await new Promise<void>((resolve) => {
      this.#overdue.add(setTimeout(resolve, ms));
    });
  }

  /** Aborts without a signal: nobody reads the results any more. */
  abort(): void {
    this.#controller.abort();
  }

  /** Leaves the signals to others. */
  dispose(): void {
    for (const timer of this.#overdue) clearTimeout(timer);
    this.#source.off('SIGINT', this.#listener);
    this.#source.off('SIGTERM', this.#listener);
  }
}
