import type { SingleBar } from 'cli-progress';
import { commandLineNeed, requirePackage } from '../common/optional-packages.ts';
import type { CliStream } from './output.ts';
import type { Pace, ProgressSnapshot } from './progress-text.ts';
import { durationText, eventTimeFormat, progressText, shortCount } from './progress-text.ts';

/** How a progress is shown. */
export interface ProgressOptions {
  /** Starts each line. @defaultValue 'replay' */
  readonly label?: string;
  /** Zone of the event times. @defaultValue 'UTC' */
  readonly zone?: string;
  /** Between two plain lines, where there is no terminal. @defaultValue 10000 */
  readonly plainIntervalMs?: number;
}

/** A progress that is being shown. */
export interface RunningProgress {
  /** Draws if it is time to. For loops so busy that timers are late; costs a comparison otherwise. */
  tick(): void;
  /** Draws the last line and ends. To be called before results are printed. */
  stop(): void;
}

/** Shows how far a command is, on stderr: a bar on a terminal, a line now and then elsewhere. */
export interface ProgressReporter {
  /** Starts to show what `read` tells. One at a time: an earlier one is stopped. */
  start(read: () => ProgressSnapshot, options?: ProgressOptions): RunningProgress;
}

/** Where and against which clock a progress is shown. */
export interface ProgressSurface {
  readonly stream: CliStream;
  /** Writes a line, with its end. */
  readonly write: (text: string) => void;
  /** A clock that never goes back, in ms. @defaultValue performance.now */
  readonly nowMs?: () => number;
}

const barIntervalMs = 100;
const plainIntervalMs = 10_000;
/** The pace is that of the last seconds, so that it follows a change. */
const paceWindowMs = 10_000;

/** Starts to show a progress. The reporter of a command does this for it. */
export function startProgress(
  surface: ProgressSurface,
  read: () => ProgressSnapshot,
  options: ProgressOptions = {},
): RunningProgress {
  const label = options.label ?? 'replay';
  const eventTime = eventTimeFormat(options.zone ?? 'UTC');
  const meter = new Meter(read(), surface.nowMs ?? (() => performance.now()));
  if (surface.stream.isTTY === true) {
    const bar = openBar(surface.stream, label, read(), eventTime);
    return everyInterval(
      meter,
      barIntervalMs,
      {
        draw: (at, pace) => showBar(bar, at, pace),
        end: (at, pace) => {
          showBar(bar, at, pace);
          bar.stop();
          surface.write(
            `${label}: ${progressText(at, pace, eventTime(at.eventTimeMs))}, ${durationText(pace.elapsedMs)}\n`,
          );
        },
      },
      read,
    );
  }
  const line = (at: ProgressSnapshot, pace: Pace, last: string): void =>
    surface.write(`${label}: ${progressText(at, pace, eventTime(at.eventTimeMs))}${last}\n`);
  return everyInterval(
    meter,
    options.plainIntervalMs ?? plainIntervalMs,
    {
      draw: (at, pace) =>
        line(at, pace, pace.remainingMs === undefined ? '' : `, ETA ${durationText(pace.remainingMs)}`),
      end: (at, pace) => line(at, pace, `, ${durationText(pace.elapsedMs)}`),
    },
    read,
  );
}

interface Drawing {
  draw(at: ProgressSnapshot, pace: Pace): void;
  end(at: ProgressSnapshot, pace: Pace): void;
}

function everyInterval(
  meter: Meter,
  intervalMs: number,
  drawing: Drawing,
  read: () => ProgressSnapshot,
): RunningProgress {
  let lastMs = meter.elapsedMs();
  let stopped = false;
  const tick = (): void => {
    if (stopped || meter.elapsedMs() - lastMs < intervalMs) return;
    lastMs = meter.elapsedMs();
    const at = read();
    drawing.draw(at, meter.pace(at));
  };
  const timer = setInterval(tick, Math.min(intervalMs, 1000));
  // A forgotten progress must not keep a process alive.
  timer.unref();
  const stop = (): void => {
    if (stopped) return;
    stopped = true;
    clearInterval(timer);
    const at = read();
    drawing.end(at, meter.whole(at));
  };
  return { tick, stop };
}

/** Rates and the time that is left. */
class Meter {
  readonly #first: ProgressSnapshot;
  readonly #startMs: number;
  readonly #nowMs: () => number;
  #samples: { readonly ms: number; readonly rows: number; readonly bytes: number }[];

  constructor(first: ProgressSnapshot, nowMs: () => number) {
    this.#first = first;
    this.#nowMs = nowMs;
    this.#startMs = nowMs();
    this.#samples = [{ ms: 0, rows: first.rows, bytes: first.bytes }];
  }

  elapsedMs(): number {
    return this.#nowMs() - this.#startMs;
  }

  /** The pace of the last seconds. */
  pace(at: ProgressSnapshot): Pace {
    const ms = this.elapsedMs();
    // The newest sample outside the window stays, so that the window is always spanned.
    while (this.#samples.length > 1 && this.#samples[1]!.ms <= ms - paceWindowMs) this.#samples.shift();
    const since = this.#samples[0]!;
    this.#samples.push({ ms, rows: at.rows, bytes: at.bytes });
    return paceBetween(since, at, ms - since.ms, ms);
  }

  /** The pace from start to now. */
  whole(at: ProgressSnapshot): Pace {
    const ms = this.elapsedMs();
    return paceBetween(this.#first, at, ms, ms);
  }
}

function paceBetween(
  since: { rows: number; bytes: number },
  at: ProgressSnapshot,
  spanMs: number,
  elapsedMs: number,
): Pace {
  const left = at.bytesTotal - at.bytes;
  const bytes = at.bytes - since.bytes;
  return {
    elapsedMs,
    rowsPerSecond: spanMs > 0 ? ((at.rows - since.rows) * 1000) / spanMs : 0,
    remainingMs: left > 0 && bytes > 0 ? (left * spanMs) / bytes : undefined,
  };
}

interface BarPayload {
  at: ProgressSnapshot;
  pace: Pace;
}

function openBar(
  stream: CliStream,
  label: string,
  first: ProgressSnapshot,
  eventTime: (ms: number | undefined) => string,
): SingleBar {
  // Loaded here, because only a terminal needs it.
  const progress = requirePackage(commandLineNeed, 'cli-progress') as typeof import('cli-progress');
  const bar = new progress.SingleBar({
    // Of a stream it uses what CliStream has.
    stream: withoutSavedCursor(stream) as unknown as NodeJS.WritableStream,
    fps: 1000 / barIntervalMs,
    // Signals are the command's: the bar would otherwise listen to them itself.
    gracefulExit: false,
    hideCursor: true,
    clearOnComplete: true,
    // Log lines wipe the bar's line: it must come back even when nothing moved.
    forceRedraw: true,
    emptyOnZero: true,
    linewrap: true,
    format: (_, params, payload: BarPayload) => barText(label, params.progress, payload, eventTime),
  });
  const pace: Pace = { elapsedMs: 0, rowsPerSecond: 0, remainingMs: undefined };
  bar.start(first.bytesTotal, first.bytes, { at: first, pace } satisfies BarPayload);
  return bar;
}

/**
 * The stream without the bar's saving and restoring of the cursor: log lines above the bar scroll the screen, and a place saved before them is
 * that of another line.
 */
function withoutSavedCursor(stream: CliStream): CliStream {
  const filtered = Object.create(stream) as CliStream;
  filtered.write = (text: string | Uint8Array): boolean =>
    text === '\u001B7' || text === '\u001B8' ? true : stream.write(text);
  return filtered;
}

function showBar(bar: SingleBar, at: ProgressSnapshot, pace: Pace): void {
  bar.setTotal(at.bytesTotal);
  bar.update(at.bytes, { at, pace } satisfies BarPayload);
}

const barCells = 16;

function barText(
  label: string,
  progress: number,
  { at, pace }: BarPayload,
  eventTime: (ms: number | undefined) => string,
): string {
  const filled = Math.round(Math.min(1, Math.max(0, progress)) * barCells);
  const eta = pace.remainingMs === undefined ? '-' : durationText(pace.remainingMs);
  return [
    `${label} ${'█'.repeat(filled)}${'░'.repeat(barCells - filled)} ${at.filesDone}/${at.filesTotal} files`,
    `${shortCount(pace.rowsPerSecond)} rows/s`,
    eventTime(at.eventTimeMs),
    `late ${shortCount(at.late)}`,
    `dead ${shortCount(at.dead)}`,
    `ETA ${eta}`,
  ].join('  ');
}
