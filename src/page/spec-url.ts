/** An address with its places `{name}` filled, and the values that had no place and are not empty. */
export function filled(
  template: string,
  values: ReadonlyMap<string, string>,
): { readonly url: string; readonly rest: URLSearchParams } {
  const rest = new URLSearchParams();
  let url = template;
  for (const [name, value] of values) {
    const place = `{${name}}`;
    if (url.includes(place)) url = url.replaceAll(place, encodeURIComponent(value));
    else if (value !== '') rest.set(name, value);
  }
  return { url, rest };
}
