/** Numbers that depend on a seed alone. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** In `[0, 1)`. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  }

  /** An integer in `[from, to]`. */
  between(from: number, to: number): number {
    return from + Math.floor(this.next() * (to - from + 1));
  }

  of<T>(items: readonly T[]): T {
    return items[Math.floor(this.next() * items.length)]!;
  }
}

export interface WrittenEvent {
  readonly topic: 'events' | 'more';
  readonly meter: string;
  readonly value: string;
  readonly timeMs: number;
}

/** From now on this is the history of a meter's places. */
export interface PlacesChange {
  readonly meter: string;
  readonly history: readonly { readonly validFromMs: number; readonly value: string | undefined }[];
}

type Cut = { readonly when: 'before' | 'in' | 'after'; readonly request: CutRequest };
const cutRequests = [
  'EndTxn',
  'Produce',
  'AddOffsetsToTxn',
  'InitProducerId',
  'Fetch',
  'JoinGroup',
  'SyncGroup',
  'Heartbeat',
  'OffsetFetch',
  'ListOffsets',
] as const;
export type CutRequest = (typeof cutRequests)[number];

/** Something that happens to the application. `which` names a client, modulo those there are. */
export type Action =
  | { readonly do: 'events'; readonly events: readonly WrittenEvent[] }
  | { readonly do: 'places'; readonly changes: readonly PlacesChange[] }
  | { readonly do: 'start'; readonly disk: number; readonly state: 'as it is' | 'older' | 'erased' | 'a task erased' }
  | { readonly do: 'close' | 'kill' | 'image'; readonly which: number }
  | {
      readonly do: 'kill at';
      readonly which: number;
      readonly when: 'before' | 'after';
      readonly request: CutRequest;
      readonly nth: number;
    }
  | { readonly do: 'freeze'; readonly which: number; readonly ms: number }
  | ({ readonly do: 'cut'; readonly which: number } & Cut)
  | { readonly do: 'down' | 'stall'; readonly ms: number }
  | { readonly do: 'compact' | 'calm' };

export interface Step {
  readonly waitMs: number;
  readonly action: Action;
}

/** What one run does, and how its cluster and clients are set up: all of it follows from the seed. */
export interface Schedule {
  readonly seed: number;
  readonly partitions: number;
  readonly placePartitions: number;
  readonly markerDelayMs: number;
  readonly latencyMs: number;
  readonly standbys: number;
  readonly commitIntervalMs: number;
  readonly cacheBytes: number;
  readonly buffered: number;
  readonly idleMs: number;
  readonly sessionTimeoutMs: number;
  readonly steps: readonly Step[];
}

const meters = ['a', 'b', 'c', 'd', 'e', 'f'];
const places = ['Lyon', 'Nice', 'Brest', undefined] as const;

export function scheduleOf(seed: number): Schedule {
  const random = new Random(seed);
  const steps: Step[] = [];
  let id = 0;
  let timeMs = 20;
  const events = (): Action => {
    const written: WrittenEvent[] = [];
    for (let n = random.between(1, 12); n > 0; n--) {
      timeMs += random.of([0, 0, 1, 2, 3, 8]);
      const back = random.of([0, 0, 0, 2, 5, 12, 20, 40]);
      const bad = random.next() < 0.03;
      id++;
      written.push({
        topic: random.next() < 0.15 ? 'more' : 'events',
        meter: random.of(meters),
        value: bad ? `bad ${id}` : `${id}:${random.between(1, 4)}`,
        timeMs: Math.max(0, timeMs - back),
      });
    }
    return { do: 'events', events: written };
  };
  const history = (): PlacesChange => {
    const starts = [...new Set(Array.from({ length: random.between(0, 3) }, () => 10 * random.between(0, 20)))];
    return {
      meter: random.of(meters),
      history: starts.sort((a, b) => a - b).map((validFromMs) => ({ validFromMs, value: random.of(places) })),
    };
  };
  const moves = (): Action => ({ do: 'places', changes: Array.from({ length: random.of([1, 1, 2, 6]) }, history) });
  const sessionTimeoutMs = random.between(200, 400);
  const which = (): number => random.between(0, 5);
  const trouble: readonly (readonly [weight: number, make: () => Action])[] = [
    [4, () => ({ do: 'kill', which: which() })],
    [
      4,
      () => ({
        do: 'kill at',
        which: which(),
        when: random.of(['before', 'after']),
        request: random.of(['EndTxn', 'Produce', 'AddOffsetsToTxn', 'InitProducerId']),
        nth: random.between(1, 4),
      }),
    ],
    [3, () => ({ do: 'close', which: which() })],
    [
      7,
      () => ({
        do: 'start',
        disk: which(),
        state: random.of(['as it is', 'as it is', 'older', 'erased', 'a task erased']),
      }),
    ],
    [3, () => ({ do: 'freeze', which: which(), ms: random.of([20, sessionTimeoutMs + 50, sessionTimeoutMs + 150]) })],
    [
      6,
      () => ({
        do: 'cut',
        which: which(),
        when: random.of(['before', 'in', 'after']),
        request: random.of(cutRequests),
      }),
    ],
    [1, () => ({ do: 'down', ms: random.between(5, 60) })],
    [1, () => ({ do: 'stall', ms: random.of([10, 60, sessionTimeoutMs + 20]) })],
    [3, () => ({ do: 'image', which: which() })],
    [1, () => ({ do: 'compact' })],
    [6, moves],
  ];
  const all = trouble.reduce((sum, [weight]) => sum + weight, 0);
  for (let n = random.between(15, 40); n > 0; n--) {
    steps.push({ waitMs: random.of([0, 0, 1, 2, 5, 15]), action: events() });
    if (random.next() < 0.45) continue;
    let left = random.next() * all;
    const [, make] =
      trouble.find(([weight]) => {
        left -= weight;
        return left < 0;
      }) ?? trouble[0]!;
    const action = make();
    // What happens to an application in the midst of a rebalance is one thing, what happens to one at work another.
    if (random.next() < 0.5) steps.push({ waitMs: 0, action: { do: 'calm' } }, { waitMs: 0, action: events() });
    steps.push({ waitMs: random.of([0, 0, 1, 3, 10, 30]), action });
    // The moment after a change of places is a good one to die.
    if (action.do === 'places' && random.next() < 0.3)
      steps.push({ waitMs: random.of([0, 0, 1, 2]), action: { do: 'kill', which: which() } });
  }
  return {
    seed,
    partitions: random.between(1, 4),
    placePartitions: random.between(1, 2),
    markerDelayMs: random.of([0, 0, 1, 4]),
    latencyMs: random.of([0, 0, 1]),
    standbys: random.of([0, 0, 1]),
    commitIntervalMs: random.of([1, 5, 20]),
    cacheBytes: random.of([5_000, 5_000, 50_000, 10_000_000]),
    buffered: random.of([1, 5, 1000]),
    idleMs: random.of([0, 5, -1]),
    sessionTimeoutMs,
    steps,
  };
}

/** A schedule as one reads it in the output of a failed test. */
export function shownSchedule({ steps, ...setup }: Schedule): string {
  const lines = steps.map(({ waitMs, action }) => {
    const shown =
      action.do === 'events'
        ? `events ${action.events.map(({ meter, value, timeMs }) => `${meter}=${value}@${timeMs}`).join(' ')}`
        : JSON.stringify(action);
    return `  +${waitMs} ${shown}`;
  });
  return [JSON.stringify(setup), ...lines].join('\n');
}
