import type { ScanKind } from './scan-limit.ts';

/** One query parameter. */
export interface QueryParameter {
  /** One sentence for whoever asks what it means. */
  readonly description: string;
  /** The only values allowed. @defaultValue any text */
  readonly values?: readonly string[];
  /** Gives the value in its normal form; throws an Error that says what is wrong with it. */
  readonly parse?: (text: string) => string;
}

/** `stale=ok`, for routes that read stores. */
export const staleParameter: QueryParameter = {
  description: 'ok: while a partition moves between instances, rows of a copy that may lag behind will do.',
  values: ['ok'],
};

/** A request whose query has been checked: only known parameters, each at most once, each valid. */
export interface RouteRequest {
  /** Decoded parts of the path, by the names in {@link Route.path}. */
  readonly params: Readonly<Record<string, string>>;
  /** Parameters that were given, in their normal form. */
  readonly query: Readonly<Record<string, string>>;
  /** Aborted when the client goes away. */
  readonly signal: AbortSignal;
}

/**
 * An endpoint that answers GET and HEAD, free of any framework: an application adds its own to the server's.
 *
 * A StreamsError that `handle` throws becomes problem JSON: 400 for `STREAMS_USAGE`, 404 for `STREAMS_STATE_STORE_UNKNOWN`, 503 with Retry-After for
 * `STREAMS_TASK_MIGRATED`, `STREAMS_STATE_STORE_NOT_OPEN` and `STREAMS_TIMEOUT`, else mostly 500.
 *
 * @example
 * ```ts
 * const hello: Route = {
 *   path: '/hello/:name',
 *   summary: 'Says hello.',
 *   query: { loud: { description: 'Whether to shout.', values: ['yes', 'no'] } },
 *   handle: ({ params, query }) => new Response(`hello ${params.name}${query.loud === 'yes' ? '!' : ''}`),
 * };
 * ```
 */
export interface Route {
  /** Starts with a slash; a part `:name` matches one part of the path. */
  readonly path: string;
  readonly summary: string;
  readonly query: Readonly<Record<string, QueryParameter>>;
  /** Its answers last, mostly since they go through many rows: at most 16 are sent at a time ('instance', for other instances: 64; 'live', events without an end: 32), a further request gets 503 with Retry-After. @defaultValue they do not */
  readonly scan?: ScanKind;
  /** Answers a request whose query was checked. What it throws becomes a problem. */
  handle(request: RouteRequest): Response | Promise<Response>;
}
