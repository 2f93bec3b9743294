/**
 * A response whose bytes come from an iterable, one piece when the client has room for it.
 *
 * The first piece is made before this resolves, so an error at the start is thrown here and can still become a proper answer; a later one breaks the
 * connection off. The iterable is closed when the client goes away.
 */
export async function streamBytes(pieces: AsyncIterable<Uint8Array>, contentType: string): Promise<Response> {
  const iterator = pieces[Symbol.asyncIterator]();
  let first: IteratorResult<Uint8Array> | undefined = await iterator.next();
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { done, value } = first ?? (await iterator.next());
        first = undefined;
        if (done === true) controller.close();
        else controller.enqueue(value);
      },
      async cancel() {
        await iterator.return?.();
      },
    },
    { highWaterMark: 0 },
  );
  return new Response(body, { headers: { 'content-type': contentType } });
}
