import { once } from 'node:events';
import { createServer } from 'node:net';
import type { ExecutionContext } from 'ava';

/** A real part that a test needs is not installed here. */
export class PartMissing extends Error {
  override readonly name = 'PartMissing';
}

/** Says aloud that a part is missing; a failure where parts are required (`REQUIRE_PARTS=1`). */
export function skipWithout(t: ExecutionContext, missing: PartMissing): void {
  t.log(missing.message);
  t.is(process.env['REQUIRE_PARTS'], undefined, `${missing.message} It is required here.`);
}

/** A TCP port of 127.0.0.1 that nobody listens on. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}
