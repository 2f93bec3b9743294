/**
 * The known word that was probably meant, or undefined if none is near: at most a third of its letters, and at least one, may differ.
 *
 * `nearest('tpye', ['key', 'type'])` is 'type'.
 */
export function nearest(word: string, known: readonly string[]): string | undefined {
  const wanted = word.toLowerCase();
  let best: string | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const candidate of known) {
    // Long garbage is near to nothing, and must not cost anything either.
    if (Math.abs(candidate.length - wanted.length) > 3) continue;
    const steps = distance(wanted, candidate.toLowerCase());
    if (steps < least && steps <= Math.max(1, Math.ceil(candidate.length / 3))) {
      best = candidate;
      least = steps;
    }
  }
  return best;
}

/** Optimal string alignment: insertions, deletions, replacements, and swaps of neighbours. */
function distance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = last[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      let steps = Math.min(replaced, last[j]! + 1, row[j - 1]! + 1);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        steps = Math.min(steps, beforeLast[j - 2]! + 1);
      }
      row.push(steps);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length]!;
}
