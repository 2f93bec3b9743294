import { compareBytes } from '../../common/bytes.ts';
import type { ByteRow } from './byte-rows.ts';

type Pages = AsyncIterable<readonly ByteRow[]>;

/** Rows of several tasks, each in the order of (window start, key), as one in that order. */
export async function* mergedRows(parts: readonly Pages[]): AsyncGenerator<readonly ByteRow[]> {
  if (parts.length === 1) {
    yield* parts[0]!;
    return;
  }
  const heads = await Promise.all(
    parts.map(async (part) => advance({ pages: part[Symbol.asyncIterator](), page: [], at: -1 })),
  );
  try {
    for (let page = await nextPage(heads); page.length > 0; page = await nextPage(heads)) yield page;
  } finally {
    for (const head of heads) await head.pages.return?.();
  }
}

const pageRows = 1000;

/** Where one task's rows are read. */
interface Head {
  readonly pages: AsyncIterator<readonly ByteRow[]>;
  page: readonly ByteRow[];
  at: number;
}

async function nextPage(heads: readonly Head[]): Promise<readonly ByteRow[]> {
  const page: ByteRow[] = [];
  while (page.length < pageRows) {
    let least: Head | undefined;
    for (const head of heads) {
      const row = head.page[head.at];
      if (row !== undefined && (least === undefined || before(row, least.page[least.at]!))) least = head;
    }
    if (least === undefined) return page;
    page.push(least.page[least.at]!);
    least.at++;
    if (least.at >= least.page.length) await advance(least);
  }
  return page;
}

/** Goes on to the next page that has rows; at the end the page is empty. */
async function advance(head: Head): Promise<Head> {
  do {
    const next = await head.pages.next();
    head.page = next.done === true ? [] : next.value;
    head.at = 0;
    if (next.done === true) return head;
  } while (head.page.length === 0);
  return head;
}

function before(a: ByteRow, b: ByteRow): boolean {
  return a.startMs < b.startMs || (a.startMs === b.startMs && compareBytes(a.key, b.key) < 0);
}
