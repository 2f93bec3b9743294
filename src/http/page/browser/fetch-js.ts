/** Browser module: asks the server, once or again and again. */
export const fetchJs: string = `
/** A problem that the server explained, or could not. */
export class Refusal extends Error {}

/** JSON from an address. Throws a Refusal with the server's own words where it has some. */
export async function getJson(url, signal) {
  const response = await fetch(url, { signal, headers: { accept: 'application/json' } });
  if (response.ok) return response.json();
  const problem = await response.json().catch(() => ({}));
  throw new Refusal(problem.detail ?? 'The server answered ' + response.status + '.');
}

/**
 * Calls a task now and again, some time after the last call ended. While nobody looks at the page nothing is asked; a look asks at once.
 */
export function repeat(everyMs, task) {
  let timer;
  let running = false;
  const turn = async () => {
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
  turn();
}
`;
