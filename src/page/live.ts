import type { LiveView } from './answers.ts';
import { getJson } from './fetch.ts';

/** How long the page waits for figures before it says that the server does not answer, ms. */
const silenceMs = 10_000;
/** How often it asks where the server sends no events, ms. */
const askEveryMs = 2000;

/** Who is told what comes. */
export interface LiveReader {
  figures(view: LiveView): void;
  /** The server answers, but has no figures now: in its words. */
  problem(detail: string): void;
  /** Nothing was heard for a while. */
  silence(): void;
}

/**
 * Figures as the server sends them, once a second. Where it sends none, because as many pages as it serves are open or something between cuts events off, they are asked for. While
 * nobody looks at the page it hears nothing, and takes none of the server's places.
 */
export function listen(reader: LiveReader): void {
  let events: EventSource | undefined;
  let silence: number | undefined;
  let asking: number | undefined;

  const heard = (): void => {
    clearTimeout(silence);
    silence = setTimeout(silent, silenceMs);
  };
  const silent = (): void => {
    reader.silence();
    begin();
  };
  const ask = async (): Promise<void> => {
    try {
      const signal = AbortSignal.timeout(silenceMs);
      const [view, { stores }] = await Promise.all([
        getJson<Omit<LiveView, 'stores'>>('/tasks', signal),
        getJson<Pick<LiveView, 'stores'>>('/stores', signal),
      ]);
      heard();
      reader.figures({ ...view, stores });
    } catch {
      reader.silence();
    }
  };
  const end = (): void => {
    events?.close();
    clearTimeout(silence);
    clearTimeout(asking);
  };
  const begin = (): void => {
    end();
    if (document.hidden) return;
    heard();
    events = new EventSource('/live');
    events.addEventListener('figures', ({ data }) => {
      heard();
      reader.figures(JSON.parse(data) as LiveView);
    });
    events.addEventListener('problem', ({ data }) => {
      heard();
      reader.problem((JSON.parse(data) as { readonly detail: string }).detail);
    });
    events.addEventListener('error', () => {
      // A connection that broke is made anew by the browser; one that was refused is not.
      void ask();
      if (events?.readyState === EventSource.CLOSED) asking = setTimeout(begin, askEveryMs);
    });
  };
  document.addEventListener('visibilitychange', begin);
  begin();
}
