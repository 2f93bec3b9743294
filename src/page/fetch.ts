/** How long an answer may take, ms: then the page says that the server does not answer, and asks again. */
const answerMs = 30_000;

/** A problem that the server explained, or could not. */
export class Refusal extends Error {}

/** JSON from an address. @throws Refusal with the server's own words where it has some. */
export async function getJson<T>(url: string, signal?: AbortSignal): Promise<T> {
  return (await ask(url, 'application/json', signal)).json() as Promise<T>;
}

/** Rows of JSON lines from an address, the whole answer. @throws Refusal */
export async function getRows<T>(url: string, signal?: AbortSignal): Promise<T[]> {
  const lines = (await (await ask(url, 'application/x-ndjson', signal)).text()).split('\n');
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as T);
}

async function ask(url: string, accept: string, signal?: AbortSignal): Promise<Response> {
  const late = AbortSignal.timeout(answerMs);
  const response = await fetch(url, { headers: { accept }, signal: signal ? AbortSignal.any([signal, late]) : late });
  if (response.ok) return response;
  const problem = (await response.json().catch(() => ({}))) as { readonly detail?: string };
  throw new Refusal(problem.detail ?? `The server answered ${response.status}.`);
}

/** What a failure is called on the page: a refusal by the server's words. */
export function words(error: unknown): string {
  return error instanceof Refusal
    ? sentence(error.message)
    : 'The data could not be loaded: the server does not answer.';
}

function sentence(text: string): string {
  const end = text.endsWith('.') ? '' : '.';
  // An address, a setting or an option stays as it is typed.
  if (/^(\S+:\/\/|\S+[.=]\S|-)/.test(text)) return text + end;
  return text.slice(0, 1).toUpperCase() + text.slice(1) + end;
}

/** Calls a task now and again, some time after the last call ended. While nobody looks at the page nothing is asked; a look asks at once. */
export function repeat(everyMs: number, task: () => Promise<void>): void {
  let timer: number | undefined;
  let running = false;
  const turn = async (): Promise<void> => {
    clearTimeout(timer);
    if (running || document.hidden) return;
    running = true;
    try {
      await task();
    } finally {
      running = false;
      timer = setTimeout(turn, everyMs);
    }
  };
  document.addEventListener('visibilitychange', turn);
  void turn();
}
