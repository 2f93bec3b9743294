import { StringDecoder } from 'node:string_decoder';

/** Encodings of text files. */
export const textEncodings = ['utf-8', 'utf-16', 'utf-16le', 'utf-16be', 'latin1', 'windows-1252'] as const;
/** An encoding of text files. A byte order mark decides between the two forms of UTF-16; without one `utf-16` is little-endian. `latin1` is read as browsers do, as windows-1252. */
export type TextEncoding = (typeof textEncodings)[number];

/** How a file's text becomes the UTF-8 with line feeds that is read. */
export interface TextCode {
  readonly encoding: TextEncoding;
  readonly lineEnd: 'lf' | 'cr';
}

/** Whether it is the name of an encoding that can be read. */
export function isTextEncoding(name: unknown): name is TextEncoding {
  return (textEncodings as readonly unknown[]).includes(name);
}

/** Turns the bytes of a file, piece by piece, into UTF-8. What a piece cuts is held back until the next one. */
export type Transcoder = (bytes: Buffer) => Buffer;

/** A transcoder for one file; undefined for UTF-8, of which malformed bytes are to be seen. */
export function transcoderOf(encoding: TextEncoding): Transcoder | undefined {
  if (encoding === 'utf-8') return undefined;
  if (encoding === 'latin1' || encoding === 'windows-1252') return fromWindows1252;
  return utf16Transcoder(encoding === 'utf-16be');
}

/** The text in an encoding; characters that windows-1252 lacks are a `?` there. */
export function encodedText(text: string, { encoding, lineEnd }: TextCode): Buffer {
  const lines = lineEnd === 'cr' ? text.replaceAll('\n', '\r') : text;
  if (encoding === 'utf-8') return Buffer.from(lines);
  if (encoding === 'utf-16be') return Buffer.from(lines, 'utf16le').swap16();
  if (encoding.startsWith('utf-16')) return Buffer.from(lines, 'utf16le');
  return Buffer.from(lines.replace(/[^\0-\x7f\xa0-\xff]/gu, toWindows1252), 'latin1');
}

/** What windows-1252 has at 0x80 to 0x9f; five of them are control characters, as browsers read them. */
const windows1252 =
  '\u20ac\x81\u201a\u0192\u201e\u2026\u2020\u2021\u02c6\u2030\u0160\u2039\u0152\x8d\u017d\x8f' +
  '\x90\u2018\u2019\u201c\u201d\u2022\u2013\u2014\u02dc\u2122\u0161\u203a\u0153\x9d\u017e\u0178';

function fromWindows1252(bytes: Buffer): Buffer {
  const text = bytes.toString('latin1');
  return Buffer.from(text.replace(/[\x80-\x9f]/g, (character) => windows1252[character.charCodeAt(0) - 0x80]!));
}

function toWindows1252(character: string): string {
  const at = windows1252.indexOf(character);
  return at < 0 ? '?' : String.fromCharCode(0x80 + at);
}

/** A byte order mark says which order it is, whatever was said before. */
function utf16Transcoder(bigEndian: boolean): Transcoder {
  const decoder = new StringDecoder('utf16le');
  let swaps = bigEndian;
  let started = false;
  let odd = Buffer.alloc(0);
  return (bytes) => {
    let piece = odd.length === 0 ? bytes : Buffer.concat([odd, bytes]);
    odd = Buffer.from(piece.subarray(piece.length - (piece.length % 2)));
    piece = piece.subarray(0, piece.length - odd.length);
    if (piece.length === 0) return piece;
    if (!started) {
      if (piece[0] === 0xfe && piece[1] === 0xff) swaps = true;
      else if (piece[0] === 0xff && piece[1] === 0xfe) swaps = false;
      started = true;
    }
    return utf8OfUnits(decoder.write(swaps ? Buffer.from(piece).swap16() : piece));
  };
}

/** Halves of pairs that stand alone become what is no UTF-8 either, so that their rows are seen to be bad. */
function utf8OfUnits(text: string): Buffer {
  if (!/\p{Surrogate}/u.test(text)) return Buffer.from(text);
  const parts = text.split(/(\p{Surrogate})/u).map((part, i) => {
    if (i % 2 === 0) return Buffer.from(part);
    const unit = part.charCodeAt(0);
    return Buffer.from([0xe0 | (unit >> 12), 0x80 | ((unit >> 6) & 0x3f), 0x80 | (unit & 0x3f)]);
  });
  return Buffer.concat(parts);
}
