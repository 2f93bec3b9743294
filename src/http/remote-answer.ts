import { setTimeout as delay } from 'node:timers/promises';
import { messageOf, StreamsError, type StreamsErrorCode, streamsErrors } from '../common/errors.ts';
import { programHeader } from './access.ts';

/** How another instance is asked. */
export interface RemoteOptions {
  /** ms until an answer begins, and from piece to piece of it. @defaultValue 10000 */
  readonly timeoutMs?: number;
  /** ms for which a partition that is on its way is asked for again. @defaultValue 0: not at all */
  readonly retryForMs?: number;
  /** The token that it asks for. @defaultValue none */
  readonly token?: string | undefined;
}

const defaultTimeoutMs = 10_000;
const longestPauseMs = 5000;
const longestText = 16 * 1024 * 1024;

/** An answer of another instance whose head is there. Read it with {@link AnswerBody}, or close it. */
export interface RemoteAnswer {
  readonly response: Response;
  readonly body: AnswerBody;
}

/**
 * Asks another instance.
 *
 * @param contentType - What it must answer with.
 * @throws StreamsError `STREAMS_TASK_MIGRATED` - it answers 503, and still does after `retryForMs`. `STREAMS_TIMEOUT` - it cannot be reached or does not
 * answer in time. `STREAMS_STATE_INCOMPATIBLE` - it is no instance of this version. Else the code of its problem.
 */
export async function askRemote(url: URL, contentType: string, options: RemoteOptions): Promise<RemoteAnswer> {
  const giveUpAtMs = Date.now() + (options.retryForMs ?? 0);
  for (;;) {
    const answer = await askOnce(url, options.timeoutMs ?? defaultTimeoutMs, options.token);
    const { response, body } = answer;
    if (response.status === 200 && response.headers.get('content-type')?.split(';')[0] === contentType) return answer;
    const error = await problemOf(url, response, body);
    const pauseMs = Math.min(longestPauseMs, 1000 * (Number(response.headers.get('retry-after')) || 1));
    if (error.code !== 'STREAMS_TASK_MIGRATED' || Date.now() + pauseMs > giveUpAtMs) throw error;
    await delay(pauseMs);
  }
}

async function askOnce(url: URL, timeoutMs: number, token: string | undefined): Promise<RemoteAnswer> {
  const controller = new AbortController();
  const headers = { [programHeader]: '1', ...(token !== undefined && { authorization: `Bearer ${token}` }) };
  // A connection that was kept may have been closed by the other side just now: a new one then tells.
  for (let attempt = 0; ; attempt++) {
    const asked = fetch(url, { signal: controller.signal, redirect: 'error', headers });
    try {
      const response = await inTime(asked, timeoutMs, `no answer within ${timeoutMs} ms`);
      return { response, body: new AnswerBody(url, response, controller, timeoutMs) };
    } catch (error) {
      const late = error instanceof TooLate;
      if (late) controller.abort();
      if (late || attempt > 0) throw unreachable(url, error);
    }
  }
}

class TooLate extends Error {}

/** What comes within the time. Not left to the signal of `fetch`: once the garbage collector has been at work between head and body, that may reach nobody, and the wait would have no end. */
async function inTime<T>(coming: Promise<T>, timeoutMs: number, message: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new TooLate(message)), timeoutMs);
  });
  try {
    return await Promise.race([coming, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** The bytes of an answer. A piece that does not come in time, or a connection that breaks, is an error. */
export class AnswerBody {
  readonly #url: URL;
  readonly #response: Response;
  readonly #controller: AbortController;
  readonly #timeoutMs: number;

  constructor(url: URL, response: Response, controller: AbortController, timeoutMs: number) {
    this.#url = url;
    this.#response = response;
    this.#controller = controller;
    this.#timeoutMs = timeoutMs;
  }

  /** The pieces as they come. Only the time in which one is waited for counts: the reader may take its own. */
  async *pieces(): AsyncGenerator<Uint8Array> {
    const reader = this.#response.body?.getReader();
    if (reader === undefined) return;
    let done = false;
    try {
      for (;;) {
        const piece = await this.#inTime(reader.read());
        done = piece.done;
        if (piece.done) return;
        yield piece.value;
      }
    } finally {
      // What is not read to its end keeps the connection busy. The body tells the connection by itself, whatever became of the signal.
      if (!done) {
        reader.cancel().catch(() => {});
        this.close();
      }
    }
  }

  /** All of it as text, or as much as can be one of ours. */
  async text(): Promise<string> {
    const decoder = new TextDecoder();
    let text = '';
    for await (const piece of this.pieces()) {
      text += decoder.decode(piece, { stream: true });
      if (text.length > longestText) break;
    }
    return text;
  }

  /** The object that it is in JSON. @throws StreamsError `STREAMS_STATE_INCOMPATIBLE` - it is none. */
  async json(): Promise<object> {
    const text = await this.text();
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      value = undefined;
    }
    if (typeof value === 'object' && value !== null) return value;
    throw noInstance(this.#url, JSON.stringify(text.slice(0, 60)));
  }

  close(): void {
    this.#controller.abort();
  }

  async #inTime<T>(reading: Promise<T>): Promise<T> {
    try {
      return await inTime(reading, this.#timeoutMs, `nothing more within ${this.#timeoutMs} ms`);
    } catch (error) {
      throw brokenOff(this.#url, error);
    }
  }
}

/** The error of an answer that broke off: whoever has rows of it has not all of them. */
export function brokenOff(url: URL, error: unknown): StreamsError {
  return StreamsError.from(
    error,
    'STREAMS_TIMEOUT',
    `the answer of ${url.origin}${url.pathname} broke off: ${reasonOf(error)}. Ask again.`,
    { retriable: true },
  );
}

function unreachable(url: URL, error: unknown): StreamsError {
  return new StreamsError(
    'STREAMS_TIMEOUT',
    `${url.origin} does not answer: ${reasonOf(error)}. See that an instance runs there and can be reached.`,
    { cause: error, retriable: true },
  );
}

/** The client says only that it failed; the reason lies below. */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const code = (cause as { readonly code?: unknown } | undefined)?.code;
  return messageOf(cause) || (typeof code === 'string' ? code : 'no reason given');
}

async function problemOf(url: URL, response: Response, body: AnswerBody): Promise<StreamsError> {
  const { status } = response;
  const text = await body.text().catch(() => '');
  const { code, detail } = problemIn(text);
  const where = `${url.origin}: `;
  if (status === 503)
    return new StreamsError('STREAMS_TASK_MIGRATED', where + (detail ?? 'it is not ready. Ask again.'), {
      retriable: true,
    });
  if (status === 401)
    return new StreamsError(
      'STREAMS_CONFIG',
      `${url.origin} asks for a token: give that of its instances with http.token.file or WEIR_HTTP_TOKEN.`,
    );
  // It says by which names it is asked.
  if (status === 421 && detail !== undefined) return new StreamsError('STREAMS_CONFIG', where + detail);
  if (code !== undefined && detail !== undefined) return new StreamsError(code, where + detail);
  return noInstance(url, `${status} ${response.headers.get('content-type') ?? 'without a content type'}`);
}

function noInstance(url: URL, answered: string): StreamsError {
  return new StreamsError(
    'STREAMS_STATE_INCOMPATIBLE',
    `${url.origin}${url.pathname} answered ${answered}: there is no instance of this version. See that the address is right, and take the version that runs there.`,
  );
}

/** What a problem of RFC 9457 says, where it has one of our codes. */
function problemIn(text: string): { readonly code?: StreamsErrorCode; readonly detail?: string } {
  try {
    const { code, detail } = JSON.parse(text) as { readonly code?: unknown; readonly detail?: unknown };
    return {
      ...(typeof code === 'string' && Object.hasOwn(streamsErrors, code) && { code: code as StreamsErrorCode }),
      ...(typeof detail === 'string' && { detail }),
    };
  } catch {
    return {};
  }
}
