/** Holds a windowed table's rows back until their window closes. Kafka Streams: `kstream/Suppressed.java`. */
export interface Suppressed {
  /** Name of the node and of its buffer. */
  readonly name: string;
  readonly until: 'window-closes';
}

/** One result a window, its last: when `windowEnd <= observedStreamTime - grace`. */
export function untilWindowCloses(options: { readonly name: string }): Suppressed {
  return { name: options.name, until: 'window-closes' };
}
