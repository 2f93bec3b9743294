import { Random } from '../../topologies/grid/generator/random.ts';

/** The numbers from 0 to `count - 1`, each once, in an order drawn from a seed: another seed has nothing of it, which no shift of one order can say. */
export function permutation(count: number, seed: number): Uint32Array {
  const random = new Random(seed, 'permutation');
  const numbers = Uint32Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const other = random.below(i + 1);
    const number = numbers[i]!;
    numbers[i] = numbers[other]!;
    numbers[other] = number;
  }
  return numbers;
}
