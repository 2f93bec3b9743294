import { compareBytes } from '../../common/bytes.ts';
import type { ByteRow } from './byte-rows.ts';

type Pages = AsyncIterable<readonly ByteRow[]>;

const pageRows = 1000;

/** Rows of several parts, each in the order of (window start, key), as one in that order. All parts are begun at once, and closed at the end. */
export async function* mergedRows(parts: readonly Pages[]): AsyncGenerator<readonly ByteRow[]> {
  if (parts.length === 1) {
    yield* parts[0]!;
    return;
  }
  const heads = parts.map((part, index): Head => ({ index, pages: part[Symbol.asyncIterator](), page: [], at: 0 }));
  try {
    await Promise.all(heads.map(advance));
    const heap = heads.filter(({ page }) => page.length > 0);
    for (let i = (heap.length >> 1) - 1; i >= 0; i--) sink(heap, i);
    while (heap.length > 0) yield await nextPage(heap);
  } finally {
    await Promise.allSettled(heads.map((head) => head.pages.return?.()));
  }
}

/** Where one part's rows are read. */
interface Head {
  readonly index: number;
  readonly pages: AsyncIterator<readonly ByteRow[]>;
  page: readonly ByteRow[];
  at: number;
}

/** Takes rows from a heap of heads, whose first is the one with the least row; heads at their end leave it. */
async function nextPage(heap: Head[]): Promise<readonly ByteRow[]> {
  const page: ByteRow[] = [];
  while (page.length < pageRows && heap.length > 0) {
    const least = heap[0]!;
    page.push(least.page[least.at]!);
    least.at++;
    if (least.at >= least.page.length) {
      await advance(least);
      if (least.page.length === 0) {
        const last = heap.pop()!;
        if (last === least) return page;
        heap[0] = last;
      }
    }
    sink(heap, 0);
  }
  return page;
}

/** Goes on to the next page that has rows; at the end the page is empty. */
async function advance(head: Head): Promise<void> {
  head.at = 0;
  do {
    const next = await head.pages.next();
    head.page = next.done === true ? [] : next.value;
    if (next.done === true) return;
  } while (head.page.length === 0);
}

/** Lets the head at a place of the heap sink to where none below it has a lesser row. */
function sink(heap: Head[], place: number): void {
  const head = heap[place]!;
  let at = place;
  for (;;) {
    let child = 2 * at + 1;
    if (child >= heap.length) break;
    if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!)) child++;
    if (!before(heap[child]!, head)) break;
    heap[at] = heap[child]!;
    at = child;
  }
  heap[at] = head;
}

function before(a: Head, b: Head): boolean {
  const left = a.page[a.at]!;
  const right = b.page[b.at]!;
  if (left.startMs !== right.startMs) return left.startMs < right.startMs;
  const order = compareBytes(left.key, right.key);
  return order < 0 || (order === 0 && a.index < b.index);
}
