/** Characters after which a page is full. */
const pageLength = 64 * 1024;

/**
 * A response whose text comes from an iterable, in pages of some 64 KiB.
 *
 * A page is made when the client has room for it: however long the text is, one page of it is in memory. The first page is made before
 * this resolves, so an error at the start is thrown here and can still become a proper answer; a later one breaks the connection off.
 * The iterable is closed when the client goes away.
 */
export async function streamText(parts: AsyncIterable<string>, contentType: string): Promise<Response> {
  const encoder = new TextEncoder();
  const iterator = parts[Symbol.asyncIterator]();
  let first: string | undefined = await nextPage(iterator);
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const page = first ?? (await nextPage(iterator));
        first = undefined;
        if (page === '') controller.close();
        else controller.enqueue(encoder.encode(page));
      },
      async cancel() {
        await iterator.return?.();
      },
    },
    { highWaterMark: 0 },
  );
  return new Response(body, { headers: { 'content-type': contentType } });
}

/** The next parts, joined; empty at the end. */
async function nextPage(iterator: AsyncIterator<string>): Promise<string> {
  let page = '';
  while (page.length < pageLength) {
    const { done, value } = await iterator.next();
    if (done === true) break;
    page += value;
  }
  return page;
}
