/**
 * JSON of any value that a store may hold. Integers beyond 53 bits (bigint) become text, bytes become base64, and what is missing in an
 * array or field is null or absent, as JSON.stringify has it.
 */
export function toJson(value: unknown, indent?: number): string {
  return JSON.stringify(value, replace, indent) ?? 'null';
}

function replace(this: unknown, key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString();
  // A Buffer has replaced itself by an array of numbers at this point; its holder still has the bytes.
  const held = (this as Record<string, unknown>)[key];
  if (held instanceof Uint8Array) return Buffer.from(held.buffer, held.byteOffset, held.byteLength).toString('base64');
  return value;
}

/** A response with a value as JSON. */
export function jsonResponse(value: unknown, status = 200): Response {
  return new Response(`${toJson(value)}\n`, { status, headers: { 'content-type': 'application/json' } });
}
