import { createHash, timingSafeEqual } from 'node:crypto';
import { isIP } from 'node:net';
import { hostname } from 'node:os';
import { StreamsError } from '../common/errors.ts';
import { openOption, tokenOption } from '../common/remedies.ts';
import { HttpProblem } from './problem.ts';

/** Who may ask a server. */
export interface AccessOptions {
  /**
   * A secret that every request must carry: `Authorization: Bearer TOKEN`, or as the password of Basic, with any user, as browsers ask for it. `/healthz` and `/readyz` answer
   * without. Instances of one application need the same. @defaultValue none
   */
  readonly token?: string | undefined;
  /** True: without a token everybody who reaches the address may read. Only an address that is not of the loopback needs it. @defaultValue false */
  readonly open?: boolean;
  /** Names by which the server is asked, besides `localhost`, the machine's own name and addresses in digits. @defaultValue none */
  readonly hosts?: readonly string[];
}

/** The header that instances and commands send with what they ask of `/internal`: the pages of other sites cannot. */
export const programHeader = 'x-weir-program';

/** Paths that tell nothing but whether the process is well. */
const openPaths: readonly string[] = ['/healthz', '/readyz'];

/** Whether nobody but this machine reaches an address. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}

/**
 * @throws {@link StreamsError} `STREAMS_CONFIG` - others would reach the server, and neither a token is asked for nor is it said that it is open; or the token is empty.
 */
export function checkListens(host: string, { token, open = false }: AccessOptions): void {
  if (token === '')
    throw new StreamsError('STREAMS_CONFIG', 'the token is empty: everybody has it. Give one, or leave it out.');
  if (isLoopback(host) || token !== undefined || open) return;
  throw new StreamsError(
    'STREAMS_CONFIG',
    `at ${host} everybody in the network could read the results: ask for a token (${tokenOption}), or say with --open (${openOption}) that it is meant.`,
  );
}

/** What keeps out who may not ask. Gives the refusal of a request, or undefined for one that may pass. */
export function accessCheck(
  host: string,
  { token, hosts = [] }: AccessOptions,
): (request: Request) => Response | undefined {
  const known = new Set(['localhost', host, hostname(), ...hosts].map((name) => name.toLowerCase()));
  const expected = token === undefined ? undefined : digest(token);
  return (request) => {
    const { hostname: asked, pathname } = new URL(request.url);
    // A site that lets its own name lead here would else read everything through the browsers of its visitors: they ask for that name.
    if (!known.has(asked) && isIP(asked.replace(/^\[|\]$/g, '')) === 0)
      return new HttpProblem(
        'HTTP_HOST_UNKNOWN',
        `This server is not asked by the name ${asked}. Name it with http.hosts (WEIR_HTTP_HOSTS), or ask by address.`,
      ).response();
    if (expected !== undefined && !openPaths.includes(pathname) && !carries(request, expected))
      return new HttpProblem(
        'HTTP_UNAUTHORIZED',
        'This server asks for its token: Authorization: Bearer TOKEN.',
      ).response();
    if (asRouted(pathname).startsWith('/internal/') && !request.headers.has(programHeader))
      return new HttpProblem('HTTP_FORBIDDEN', 'This is for instances and commands: people have /stores.').response();
    return undefined;
  };
}

/** A path as the routes see it: `/%69nternal/state` is `/internal/state`. */
function asRouted(pathname: string): string {
  return pathname.replace(/%[0-7][\da-f]/gi, decodeURIComponent);
}

/** Compared as digests: so neither time nor length tells how much of a guess is right. */
function carries(request: Request, expected: Buffer): boolean {
  const [, scheme = '', given = ''] = /^(\S*) ?(.*)$/.exec(request.headers.get('authorization') ?? '') ?? [];
  const basic = (): string =>
    Buffer.from(given, 'base64')
      .toString()
      .replace(/^[^:]*:/, '');
  const token = scheme.toLowerCase() === 'basic' ? basic() : scheme.toLowerCase() === 'bearer' ? given : '';
  return timingSafeEqual(digest(token), expected);
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
