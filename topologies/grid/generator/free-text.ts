import type { Random } from './random.ts';

/** One of so many good rows has a free text. */
const oneOf = 200;

/** Free texts as CSV fields: plain, beyond ASCII, with commas, with doubled quotes, over several lines. */
const fields: readonly Buffer[] = [
  'RAS',
  'contrôle n° 12',
  'тест 你好 🙂',
  '"coupure, puis retour"',
  '"dit ""bonjour"" deux fois"',
  '""""',
  '"première ligne\nseconde ligne"',
  '"une\r\ndeux\r\n\r\ntrois, ""quatre"""',
  '" espaces "',
  '"2017121500000,pas une ligne\n20171215000010"',
].map((text) => Buffer.from(text));

/** The free text of a good row, as the bytes of its field, in data that is to be hard to read: mostly none. */
export function freeText(random: Random): Buffer | undefined {
  return random.below(oneOf) === 0 ? random.pick(fields) : undefined;
}

/** Line breaks in a field: lines that its row has beyond the first. */
export function lineBreaks(field: Buffer): number {
  let count = 0;
  for (const byte of field) if (byte === 0x0a) count++;
  return count;
}
