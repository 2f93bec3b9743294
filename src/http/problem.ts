import { STATUS_CODES } from 'node:http';
import { StreamsError, type StreamsErrorCode } from '../common/errors.ts';

/** Codes of problems that only HTTP has; all others are codes of StreamsError. */
export type ProblemCode =
  | StreamsErrorCode
  | 'HTTP_NOT_FOUND'
  | 'HTTP_METHOD_NOT_ALLOWED'
  | 'HTTP_HOST_UNKNOWN'
  | 'HTTP_UNAUTHORIZED'
  | 'HTTP_FORBIDDEN'
  | 'HTTP_NOT_READY'
  | 'HTTP_BUSY'
  | 'HTTP_INTERNAL';

/** Status of the errors that are not the server's own failure; the others are 500. */
const statusOfCode: Partial<Record<ProblemCode, number>> = {
  STREAMS_USAGE: 400,
  STREAMS_STATE_STORE_UNKNOWN: 404,
  STREAMS_STATE_STORE_NOT_OPEN: 503,
  STREAMS_TASK_MIGRATED: 503,
  STREAMS_CLOSED: 503,
  STREAMS_TIMEOUT: 503,
  HTTP_NOT_FOUND: 404,
  HTTP_METHOD_NOT_ALLOWED: 405,
  HTTP_HOST_UNKNOWN: 421,
  HTTP_UNAUTHORIZED: 401,
  HTTP_FORBIDDEN: 403,
  HTTP_NOT_READY: 503,
  HTTP_BUSY: 503,
};

/** What passes by itself: ask again in a second. */
const passing: readonly ProblemCode[] = [
  'STREAMS_TASK_MIGRATED',
  'STREAMS_STATE_STORE_NOT_OPEN',
  'STREAMS_TIMEOUT',
  'HTTP_NOT_READY',
  'HTTP_BUSY',
];

/** A request that gets no answer but an explanation. */
export class HttpProblem extends Error {
  override readonly name: string = 'HttpProblem';
  readonly code: ProblemCode;
  readonly status: number;
  /** Further members of the problem's object. */
  readonly more: Readonly<Record<string, unknown>>;

  constructor(code: ProblemCode, detail: string, more: Readonly<Record<string, unknown>> = {}) {
    super(detail);
    this.code = code;
    this.status = statusOfCode[code] ?? 500;
    this.more = more;
  }

  /**
   * The problem that anything thrown means. What is no StreamsError is a mistake of the program: its text stays in the log, because it is
   * written for those who can read the code.
   */
  static of(error: unknown): HttpProblem {
    if (error instanceof HttpProblem) return error;
    if (StreamsError.is(error)) return new HttpProblem(error.code, error.message);
    return new HttpProblem('HTTP_INTERNAL', 'The server failed to answer; its log says why.');
  }

  /** Whether the same request will soon be answered: the answer says so by Retry-After. */
  get passes(): boolean {
    return passing.includes(this.code);
  }

  /** The answer: RFC 9457. `type` is about:blank, so `title` is the status in words; `code` is what to branch on. */
  response(): Response {
    const { status, code } = this;
    const body = { type: 'about:blank', title: STATUS_CODES[status], status, detail: this.message, code, ...this.more };
    const headers: Record<string, string> = { 'content-type': 'application/problem+json' };
    if (status === 405) headers.allow = 'GET, HEAD';
    // One challenge: Chromium takes all of the header for one, and asks nobody where the first is not Basic. A bearer's token is taken all the same.
    if (status === 401) headers['www-authenticate'] = 'Basic realm="weir", charset="UTF-8"';
    if (this.passes) headers['retry-after'] = '1';
    return new Response(JSON.stringify(body), { status, headers });
  }
}
