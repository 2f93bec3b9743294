/** A prime above all counts: it has no factor in common with any of them. */
const prime = 2_147_483_647;

/** The numbers from 0 to `count - 1`, each once, in an order that jumps about: the `i`th of them. Below 90 million numbers. */
export function shuffled(i: number, count: number): number {
  return (i * (prime % count)) % count;
}
