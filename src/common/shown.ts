const longest = 80;

/** A key or value in the words of an error: `"a"`, `1.5`, `{"id":7}`, `a Set`. Long ones are cut. */
export function shown(value: unknown): string {
  const text = textOf(value);
  return text.length <= longest ? text : `${text.slice(0, longest)}...`;
}

function textOf(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value === 'function') return 'a function';
  if (typeof value !== 'object' || value === null) return Object.is(value, -0) ? '-0' : String(value);
  if (value instanceof Uint8Array) return `bytes ${Buffer.from(value.subarray(0, longest)).toString('hex')}`;
  const kind = kindOf(value);
  if (kind !== 'Object' && kind !== 'Array') return /^[AEIOU]/.test(kind) ? `an ${kind}` : `a ${kind}`;
  try {
    return JSON.stringify(value) ?? kind;
  } catch {
    return kind;
  }
}

/** The class of an object, `Object` for one without. */
export function kindOf(value: object): string {
  return (value.constructor as { readonly name?: string } | undefined)?.name || 'Object';
}
