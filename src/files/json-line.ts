import { messageOf } from '../common/errors.ts';
import { formatOption } from '../common/remedies.ts';
import { nearestName } from '../config/nearest.ts';
import { shown, shownNames } from './header-text.ts';
import type { RowFields } from './row-fields.ts';
import type { DeadReason } from './row-format.ts';

/** Why a line is bad. */
export interface LineFault {
  readonly reason: DeadReason;
  readonly message: string;
}

/** Where the members of an object lead: to a column, or on to columns below it. */
interface PathNode {
  column: number;
  /** The number of the line that had it last. */
  line: number;
  readonly members: Map<string, PathNode>;
}

const quote = 34;
const backslash = 92;
const blank = 32;
const [openBrace, closeBrace, openBracket, closeBracket, comma, colon] = [123, 125, 91, 93, 44, 58];

/**
 * One JSON object a line as fields. The column `at.start` is the member `start` of the object `at`, or the member `at.start` itself.
 *
 * A text is the field that it is; a number stands in it as it was written, so that no digit is lost; `true` and `false` are texts, `null` is an empty one; an object or a list is its JSON.
 * A member that is absent makes the line bad, unless its column is optional: then it is an empty field. A member that is there twice makes it bad: readers do not agree which of them counts.
 */
export class JsonLine {
  /** The fields of the line that was read last stand here. */
  bytes: Buffer = Buffer.alloc(1024);
  readonly #columns: readonly string[];
  readonly #optional: readonly boolean[];
  readonly #root: PathNode = { column: -1, line: 0, members: new Map() };
  readonly #texts: (string | undefined)[];
  #text = '';
  #at = 0;
  #line = 0;
  #twice: string | undefined;

  constructor(columns: readonly string[], optional: readonly string[] = []) {
    this.#columns = columns;
    this.#optional = columns.map((column) => optional.includes(column));
    this.#texts = columns.map(() => undefined);
    columns.forEach((column, i) => {
      addPath(this.#root, column, i);
    });
  }

  /** Reads a line into the fields, which stand in {@link JsonLine.bytes}; says why it is bad if it is. */
  read(line: string, fields: RowFields): LineFault | undefined {
    let parsed: unknown;
    try {
      parsed = JSON.parse(line);
    } catch (error) {
      return { reason: 'json', message: `the line is not JSON: ${messageOf(error)}` };
    }
    if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
      const what = Array.isArray(parsed) ? 'a list' : parsed === null ? 'null' : `a ${typeof parsed}`;
      return { reason: 'json', message: `the line is not a JSON object, but ${what}` };
    }
    this.#texts.fill(undefined);
    this.#line++;
    this.#twice = undefined;
    this.#text = line;
    this.#at = 0;
    this.#object(this.#root, '');
    if (this.#twice !== undefined)
      return { reason: 'json', message: `the line has the member ${shown(this.#twice)} twice` };
    return this.#write(parsed, fields);
  }

  #write(parsed: object, { starts, ends }: RowFields): LineFault | undefined {
    let at = 0;
    for (let i = 0; i < this.#columns.length; i++) {
      const text = this.#texts[i] ?? (this.#optional[i] ? '' : undefined);
      if (text === undefined) return this.#lacks(parsed);
      if (!text.isWellFormed())
        return { reason: 'utf8', message: `the member ${shown(this.#columns[i]!)} has half of a surrogate pair` };
      if (at + 3 * text.length > this.bytes.length) {
        const larger = Buffer.alloc(2 * (at + 3 * text.length));
        this.bytes.copy(larger, 0, 0, at);
        this.bytes = larger;
      }
      starts[i] = at;
      at += this.bytes.write(text, at);
      ends[i] = at;
    }
    return undefined;
  }

  #lacks(parsed: object): LineFault {
    const missing = this.#columns.filter((_, i) => this.#texts[i] === undefined && !this.#optional[i]);
    const names = memberNames(parsed);
    const others = names.filter((name) => !this.#columns.includes(name));
    const hints = missing.flatMap((column) => {
      const near = nearestName(column, others);
      return near === undefined ? [] : [`${shown(near)} is not ${shown(column)}`];
    });
    const hint = hints.length === 0 ? '' : ` (${hints.join(', ')})`;
    const has = names.length === 0 ? 'nothing' : shownNames(names);
    return { reason: 'columns', message: `the line lacks ${shownNames(missing)}; it has ${has}${hint}` };
  }

  /** Passes the object at which it stands, of valid JSON, and takes what it has for columns. */
  #object(node: PathNode, path: string): void {
    this.#skipBlanks();
    this.#at++;
    for (;;) {
      this.#skipBlanks();
      const code = this.#text.charCodeAt(this.#at);
      if (code === closeBrace) {
        this.#at++;
        return;
      }
      if (code === comma) {
        this.#at++;
        continue;
      }
      const name = this.#string();
      this.#skipBlanks();
      this.#at++;
      this.#skipBlanks();
      const member = node.members.get(name);
      if (member === undefined) this.#skipValue();
      else this.#member(member, path === '' ? name : `${path}.${name}`);
    }
  }

  #member(member: PathNode, path: string): void {
    const start = this.#at;
    const first = this.#text.charCodeAt(start);
    if (member.line === this.#line) this.#twice ??= path;
    member.line = this.#line;
    if (first === openBrace && member.members.size > 0) this.#object(member, path);
    else this.#skipValue();
    const { column } = member;
    if (column < 0) return;
    if (this.#texts[column] !== undefined) this.#twice ??= path;
    const text = this.#text.slice(start, this.#at);
    this.#texts[column] = first === quote ? unquoted(text) : text === 'null' ? '' : text;
  }

  #skipBlanks(): void {
    while (this.#text.charCodeAt(this.#at) <= blank) this.#at++;
  }

  /** Passes a string, and gives it. */
  #string(): string {
    const start = this.#at;
    this.#skipString();
    return unquoted(this.#text.slice(start, this.#at));
  }

  #skipString(): void {
    const text = this.#text;
    for (let at = this.#at + 1; ; at++) {
      const code = text.charCodeAt(at);
      if (code === backslash) at++;
      else if (code === quote) {
        this.#at = at + 1;
        return;
      }
    }
  }

  #skipValue(): void {
    const text = this.#text;
    for (let depth = 0; ; ) {
      const code = text.charCodeAt(this.#at);
      if (code === quote) this.#skipString();
      else if (code === openBrace || code === openBracket) {
        depth++;
        this.#at++;
      } else if (code === closeBrace || code === closeBracket) {
        depth--;
        this.#at++;
      } else if (code === comma || code === colon || code <= blank) this.#at++;
      else while (isPlain(text.charCodeAt(this.#at))) this.#at++;
      if (depth === 0) return;
    }
  }
}

/** Whether it is part of a number or a word. */
function isPlain(code: number): boolean {
  return code > blank && code !== comma && code !== closeBrace && code !== closeBracket && code !== colon;
}

function unquoted(json: string): string {
  return json.includes('\\') ? (JSON.parse(json) as string) : json.slice(1, -1);
}

/** Enters the ways to a column: `a.b` is the member `a.b`, and the member `b` of `a`. */
function addPath(node: PathNode, path: string, column: number): void {
  for (let dot = path.indexOf('.'); ; dot = path.indexOf('.', dot + 1)) {
    const name = dot < 0 ? path : path.slice(0, dot);
    let member = node.members.get(name);
    if (member === undefined) {
      member = { column: -1, line: 0, members: new Map() };
      node.members.set(name, member);
    }
    if (dot < 0) {
      member.column = column;
      return;
    }
    addPath(member, path.slice(dot + 1), column);
  }
}

/** The names of members, those of objects in it by their paths. */
function memberNames(parsed: object, before = ''): string[] {
  if (before.split('.').length > 4) return [];
  return Object.entries(parsed).flatMap(([name, value]: [string, unknown]) => {
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    return isObject ? [before + name, ...memberNames(value, `${before}${name}.`)] : [before + name];
  });
}

/** What is wrong with a file whose first line is this, if nothing of it can be such lines. */
export function documentProblem(line: string, columns: readonly string[]): string | undefined {
  const text = line.trim();
  if (text === '{')
    return 'it is one JSON document over several lines, instead of an object in each line: write each of its records in a line of its own';
  if (text.startsWith('['))
    return 'it is a JSON array, instead of an object in each line: write each of its records in a line of its own';
  const names = text.split(/[,;\t|]/).map((name) => name.replace(/^"|"$/g, ''));
  if (!text.startsWith('{') && columns.some((column) => names.includes(column)))
    return `its first line is the header of a CSV file, not a JSON object: leave "form": "ndjson" out of the format (${formatOption}): ${shown(text)}`;
  return undefined;
}
