/** Scenarios that are not compared, or not in order, and why. README.md says the same, "Where weir differs on purpose". */
export interface Difference {
  /** The scenarios it is about. */
  readonly scenarios: RegExp;
  /** `skipped`: not run; `as a set`: the output may come in another order; `by topic`: in order within each output topic. */
  readonly compared: 'skipped' | 'as a set' | 'by topic';
  readonly because: string;
}

export const differences: readonly Difference[] = [
  {
    scenarios: /^(table|stream)-[^.]*\.(.*-)?versioned(-.*)?$/,
    compared: 'skipped',
    because: 'versioned tables other than global ones are not offered yet',
  },
  {
    scenarios: /^repartition-order\.ties$/,
    compared: 'as a set',
    because: 'among heads of equal time Kafka Streams has no order; ours is by topic',
  },
  {
    scenarios: /^shared-table-grouping\./,
    compared: 'by topic',
    because: 'two tasks have no order between them, and their driver flushes after each repartitioned record',
  },
];

/** The difference that a scenario falls under. */
export function differenceOf(scenario: string): Difference | undefined {
  return differences.find(({ scenarios }) => scenarios.test(scenario));
}
