import type { Logger } from '../common/logger.ts';
import type { LetterSample } from './letter-sample.ts';

/** Records that a process has read, and those of them that have letters: each once, however many stores it was late for. */
export interface RecordCounts {
  readonly read: number;
  readonly late: number;
  /** By reason. */
  readonly dead: Readonly<Record<string, number>>;
}

/** Whose records are watched. */
export interface UncountedSource {
  readonly noun: 'row' | 'record';
  /** Counts that never fall. */
  counts(): RecordCounts;
  /** Some of the letters, the oldest that are known among them. */
  letters(): readonly LetterSample[];
  /** Where letters of a kind lie, in words; none: nowhere. */
  placesOf(kind: LetterSample['kind']): readonly string[];
  /** What may be done where records were late. */
  readonly lateRemedy?: string;
}

/** Share of the records above which it is told that they did not count. */
const tolerated = 0.01;
/** How often a service is looked at, and how far warnings are apart at least, ms. */
const lookMs = 10_000;
const tellMs = 60_000;

/**
 * Warns where more than a hundredth of the records that were read did not count. It looks at counters that are there anyway, so nothing is done for a record.
 */
export class UncountedRecords {
  readonly #source: UncountedSource;
  readonly #logger: Logger;
  readonly #clock: () => number;
  /** What was told last, and when: what is more since then is to be looked at. */
  #before: RecordCounts;
  #beforeMs: number;
  #toldMs = Number.NEGATIVE_INFINITY;
  #looks: NodeJS.Timeout | undefined;

  constructor(source: UncountedSource, logger: Logger, clock: () => number = Date.now) {
    this.#source = source;
    this.#logger = logger;
    this.#clock = clock;
    this.#before = source.counts();
    this.#beforeMs = clock();
  }

  /** Looks now and then, for who runs on and on, until {@link UncountedRecords.end}. */
  begin(): void {
    this.#looks = setInterval(() => this.look(), lookMs);
    this.#looks.unref();
  }

  /** Warns, if it is time to, of what came since the last warning, or within the last minute. */
  look(): void {
    const now = this.#clock();
    if (now - this.#toldMs < tellMs) return;
    if (this.#tell()) this.#toldMs = now;
    else if (now - this.#beforeMs < tellMs) return;
    this.#before = this.#source.counts();
    this.#beforeMs = now;
  }

  /** Warns of what was not told yet: of all that was read, where nobody has looked before. */
  end(): void {
    clearInterval(this.#looks);
    this.#tell();
    this.#before = this.#source.counts();
  }

  #tell(): boolean {
    const { noun, lateRemedy } = this.#source;
    const counts = this.#source.counts();
    const late = counts.late - this.#before.late;
    const reasons = Object.entries(counts.dead)
      .map(([reason, count]) => [reason, count - (this.#before.dead[reason] ?? 0)] as const)
      .filter(([, count]) => count > 0)
      .sort(([, a], [, b]) => b - a);
    const dead = reasons.reduce((sum, [, count]) => sum + count, 0);
    // On Kafka letters are counted when they are committed, maybe a while after they were read.
    const read = Math.max(counts.read - this.#before.read, late + dead);
    if (late + dead <= read * tolerated) return false;
    const kinds = [...(late > 0 ? [`${late} late`] : []), ...reasons.map(([reason, count]) => `${count} ${reason}`)];
    const first = this.#firstLetter(late > 0, dead > 0);
    this.#logger.warn(
      { read, uncounted: late + dead },
      [
        `${late + dead} of ${read} ${noun}${read === 1 ? '' : 's'} (${percent((late + dead) / read)}) did not count${late > 0 ? ', or not in all windows' : ''}: ${kinds.join(', ')}.`,
        ...(first === undefined ? [] : [`The first: ${placeOf(first)}: ${first.message.replace(/[^.?!]$/, '$&.')}`]),
        this.#placesText(late > 0, dead > 0),
        ...(late > 0 && lateRemedy !== undefined ? [lateRemedy] : []),
      ].join(' '),
    );
    return true;
  }

  /** The first letter since the last warning, as far as it is known. */
  #firstLetter(late: boolean, dead: boolean): LetterSample | undefined {
    return this.#source
      .letters()
      .filter(({ kind, atMs }) => (kind === 'late' ? late : dead) && atMs >= this.#beforeMs)
      .reduce<LetterSample | undefined>((a, b) => (a === undefined || b.atMs < a.atMs ? b : a), undefined);
  }

  #placesText(late: boolean, dead: boolean): string {
    const kinds = [...(dead ? (['dead'] as const) : []), ...(late ? (['late'] as const) : [])];
    const places = [...new Set(kinds.flatMap((kind) => this.#source.placesOf(kind)))];
    return places.length === 0 ? 'No letters of them are kept.' : `All of them: ${places.join(', ')}.`;
  }
}

function percent(share: number): string {
  return `${share < 0.1 ? (100 * share).toFixed(1) : Math.round(100 * share)}%`;
}

function placeOf({ topic, file, line, partition, offset }: LetterSample): string {
  return file === undefined ? `${topic}-${partition}, offset ${offset}` : `${file} of topic ${topic}, line ${line}`;
}
