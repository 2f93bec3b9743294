/** What the page shows, as its address says: `#/stores?store=counts&key=a` is the view `stores` with a query. It can be sent to others. */
export interface Place {
  readonly view: string;
  readonly query: URLSearchParams;
}

/** Where the page is. */
export function place(): Place {
  const [view = '', query = ''] = location.hash.replace(/^#\/?/, '').split(/\?(.*)/s);
  return { view, query: new URLSearchParams(query) };
}

/** The address of a view. */
export function address(view: string, query: Iterable<readonly [string, string]> = []): string {
  const text = new URLSearchParams([...query].map(([name, value]) => [name, value])).toString();
  return `#/${view}${text === '' ? '' : `?${text}`}`;
}

/** Writes what is chosen into the address, without a step of its own in the history of the browser. */
export function remember(view: string, query: Iterable<readonly [string, string]>): void {
  history.replaceState(null, '', address(view, query));
}
