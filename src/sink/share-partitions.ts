/** A member of a group, and the partitions that it writes. */
export interface PartitionOwner {
  readonly memberId: string;
  readonly owned: readonly number[];
}

/**
 * Which member gets which of the partitions 0 to `count - 1`: numbers differ by one at most, and a partition stays where it is as far as that allows.
 *
 * Of 3 partitions, all A's, B gets one when it comes: A keeps 0 and 1.
 */
export function sharePartitions(
  count: number,
  members: readonly PartitionOwner[],
): ReadonlyMap<string, readonly number[]> {
  const sorted = [...members].sort((a, b) => b.owned.length - a.owned.length || (a.memberId < b.memberId ? -1 : 1));
  const shares = new Map<string, number[]>(sorted.map(({ memberId }) => [memberId, []]));
  if (sorted.length === 0) return shares;
  const least = Math.floor(count / sorted.length);
  let larger = count % sorted.length;
  const free = new Set(Array.from({ length: count }, (_, partition) => partition));
  for (const { memberId, owned } of sorted) {
    const share = shares.get(memberId)!;
    const most = larger > 0 && owned.length > least ? least + 1 : least;
    for (const partition of [...owned].sort((a, b) => a - b)) {
      if (share.length === most) break;
      if (free.delete(partition)) share.push(partition);
    }
    if (share.length > least) larger--;
  }
  for (const partition of free) {
    const [, share] = [...shares].reduce((a, b) => (b[1].length < a[1].length ? b : a));
    share.push(partition);
  }
  for (const share of shares.values()) share.sort((a, b) => a - b);
  return shares;
}
