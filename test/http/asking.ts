import { type AppOptions, createApp } from '../../src/http/app.ts';
import { fakeEngine } from './fake-engine.ts';

/** An answer, read. */
export interface Answer {
  readonly status: number;
  readonly type: string;
  readonly text: string;
  readonly headers: Headers;
  /** The body as JSON. */
  readonly json: () => Record<string, unknown>;
}

/** A function that asks an application without a socket. */
export function asking(options: Partial<AppOptions> = {}): (path: string, init?: RequestInit) => Promise<Answer> {
  const app = createApp({
    engine: fakeEngine(),
    metrics: { text: async () => ({ body: 'up 1\n', contentType: 'text/plain; version=0.0.4; charset=utf-8' }) },
    ...options,
  });
  return async (path, init) => {
    const response = await app.fetch(new Request(`http://127.0.0.1:8080${path}`, init));
    const text = await response.text();
    const { status, headers } = response;
    return { status, headers, text, type: headers.get('content-type') ?? '', json: () => JSON.parse(text) };
  };
}
