const chosen = 'job="$job",instance=~"$instance"';

/** A metric of the chosen instances, with further matchers such as `state="closed"`. */
export function of(name: string, matchers = ''): string {
  return `${name}{${matchers === '' ? chosen : `${chosen},${matchers}`}}`;
}

/** How much counters grow in a second, summed up by labels; all of them without labels. */
export function rateBy(labels: string, name: string, matchers = ''): string {
  return `${sumBy(labels)}(rate(${of(name, matchers)}[$__rate_interval]))`;
}

/** How much counters have grown within the time between two points of a graph, summed up by labels. */
export function growthBy(labels: string, name: string, matchers = ''): string {
  return `${sumBy(labels)}(increase(${of(name, matchers)}[$__rate_interval]))`;
}

/** The average of what a histogram counts, by labels. */
export function averageBy(labels: string, name: string): string {
  return `${rateBy(labels, `${name}_sum`)} / ${rateBy(labels, `${name}_count`)}`;
}

/** The counts of a histogram's buckets in a second, as a heatmap takes them. */
export function bucketsOf(name: string): string {
  return rateBy('le', `${name}_bucket`);
}

/** A quantile of a histogram by labels, such as 0.99. */
export function quantileBy(quantile: number, labels: string, name: string, matchers = ''): string {
  return `histogram_quantile(${quantile}, ${rateBy(`${labels}, le`, `${name}_bucket`, matchers)})`;
}

/** Gauges summed up by labels; all of them without labels. */
export function totalBy(labels: string, name: string, matchers = ''): string {
  return `${sumBy(labels)}(${of(name, matchers)})`;
}

/**
 * Statistics by labels. An instance tells of all rows or of its own only, and a row is one instance's: the largest is the row's value either way, a sum
 * may count it twice.
 */
export function statisticBy(labels: string, name: string, matchers = ''): string {
  return labels === '' ? `max(${of(name, matchers)})` : `max by (${labels}) (${of(name, matchers)})`;
}

/** Events of all types by labels. */
export function eventsBy(labels: string, name: string, matchers = ''): string {
  return `sum by (${labels}) (${statisticBy(`${labels}, type_evt`, name, matchers)})`;
}

/** An expression by region or departement with the place's name as the label `name`. Of names that two instances give, while a park is replaced, one is taken. */
export function named(level: 'region' | 'departement', expression: string): string {
  const names = statisticBy(`${level}, name`, `grid_${level}_info`);
  return `${expression} * on (${level}) group_left (name) topk by (${level}) (1, ${names})`;
}

function sumBy(labels: string): string {
  return labels === '' ? 'sum' : `sum by (${labels}) `;
}
