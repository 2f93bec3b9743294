import type { Text } from './wiring.ts';

/** The integer that a text spells. */
export function n(value: Text): number {
  const number = Number(value);
  if (value === undefined || !Number.isSafeInteger(number)) throw new TypeError(`${value} spells no integer`);
  return number;
}

export function even(value: Text): boolean {
  return value !== undefined && n(value) % 2 === 0;
}

/** `k0` to `k3` by the number modulo 4. */
export function bucket(value: Text): Text {
  return value === undefined ? undefined : `k${n(value) % 4}`;
}

/** The last 16 characters. */
export function tail(text: string): string {
  return text.slice(-16);
}

/** A text as Java concatenates it. */
export function shown(value: Text): string {
  return value ?? 'null';
}

/** The first character of a stream's value is a table's key; nothing where it is `-`. */
export function keyIn(value: Text): Text {
  return value === undefined || value.startsWith('-') ? undefined : value.slice(0, 1);
}
