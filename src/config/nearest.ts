/** Letters and digits only, lower case: `commitIntervalMs` and `commit.interval.ms` are then the same name. */
function bare(name: string): string {
  return name.toLowerCase().replace(/[^\p{L}\p{N}]/gu, '');
}

/**
 * Edits that turn one string into the other: insertions, deletions, substitutions and swaps of neighbours, each of cost 1.
 *
 * `editDistance('commit', 'comimt')` is 1.
 */
export function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let cost = Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        cost = Math.min(cost, beforeLast[j - 2]! + 1);
      row.push(cost);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length]!;
}

/**
 * The known name with the fewest edits to `name`, the first of equals. Case and punctuation don't count.
 *
 * Undefined where more than a third of the longer name would be edited: `--application-id` is not `--topic` mistyped.
 */
export function nearestName(name: string, known: Iterable<string>): string | undefined {
  const wanted = bare(name);
  let nearest: string | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const candidate of known) {
    const other = bare(candidate);
    const distance = editDistance(wanted, other);
    if (distance >= least || 3 * distance > Math.max(wanted.length, other.length)) continue;
    nearest = candidate;
    least = distance;
  }
  return nearest;
}

/** ` Did you mean state.dir?`, to follow a sentence; nothing where no known name is near. */
export function didYouMean(name: string, known: Iterable<string>): string {
  const nearest = nearestName(name, known);
  return nearest === undefined ? '' : ` Did you mean ${nearest}?`;
}
