import { readFileSync } from 'node:fs';
import { extname } from 'node:path';
import { messageOf, StreamsError } from '../common/errors.ts';
import { commandLineNeed, requirePackage } from '../common/optional-packages.ts';

/**
 * The settings of a file by their dotted names, as text.
 *
 * `.properties` holds lines `name=value`; anything else is read as YAML, of which JSON is a part. Keys may be dotted, nested, or both:
 * `commit.interval.ms: 20` and `commit: { interval: { ms: 20 } }` are the same. A list is joined by commas.
 *
 * @throws {@link StreamsError} `STREAMS_CONFIG` if the file cannot be read, is malformed or gives a name twice.
 */
export function readConfigFile(file: string): ReadonlyMap<string, string> {
  const content = readText(file);
  const found = new Map<string, string>();
  if (extname(file) === '.properties') {
    for (const [name, value] of parseProperties(content)) add(found, name, value, file);
    return found;
  }
  const document = parseYaml(content, file);
  if (document === '' || document === null || document === undefined) return found;
  if (typeof document !== 'object' || Array.isArray(document)) {
    throw new StreamsError('STREAMS_CONFIG', `${file}: expected settings as "name: value" lines.`, { file });
  }
  flatten(document, '', found, file);
  return found;
}

/**
 * The content of a YAML file. Every scalar is the text that was written: `007` stays so.
 *
 * @throws {@link StreamsError} `STREAMS_CONFIG` if the file cannot be read or is malformed.
 */
export function readYamlFile(file: string): unknown {
  return parseYaml(readText(file), file);
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8').replace(/^\uFEFF/, '');
  } catch (cause) {
    throw new StreamsError('STREAMS_CONFIG', `cannot read the configuration file ${file}: ${messageOf(cause)}.`, {
      file,
      cause,
    });
  }
}

function parseYaml(content: string, file: string): unknown {
  // Loaded here, because most commands start without a file.
  const { parse } = requirePackage(commandLineNeed, 'yaml') as typeof import('yaml');
  try {
    // The failsafe schema keeps every scalar as the text it was written as: `007` stays so, and one rule reads all sources.
    return parse(content, { schema: 'failsafe', prettyErrors: true, logLevel: 'error' });
  } catch (cause) {
    const firstLine = messageOf(cause).split('\n')[0]!.replace(/:$/, '');
    throw new StreamsError('STREAMS_CONFIG', `${file}: ${firstLine}.`, { file, cause });
  }
}

function flatten(value: unknown, name: string, found: Map<string, string>, file: string): void {
  if (Array.isArray(value) && value.every((item) => typeof item === 'string')) {
    add(found, name, value.join(','), file);
  } else if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    for (const [key, inner] of Object.entries(value)) flatten(inner, name === '' ? key : `${name}.${key}`, found, file);
  } else if (typeof value === 'string' || value === null) {
    add(found, name, value ?? '', file);
  } else {
    throw new StreamsError('STREAMS_CONFIG', `${file}: ${name} must be one value or a list of them.`, { file });
  }
}

function add(found: Map<string, string>, name: string, value: string, file: string): void {
  if (found.has(name)) throw new StreamsError('STREAMS_CONFIG', `${file}: ${name} is given twice.`, { file });
  found.set(name, value);
}

/** Lines `name=value` or `name: value`; `#` and `!` start comments; a line that ends in a backslash goes on in the next. */
function parseProperties(content: string): [string, string][] {
  const lines = content.replace(/\\\r?\n[ \t]*/g, '').split(/\r?\n/);
  const pairs: [string, string][] = [];
  for (const line of lines) {
    const bare = line.trim();
    if (bare === '' || bare.startsWith('#') || bare.startsWith('!')) continue;
    const end = bare.search(/\s*[=:\s]/);
    if (end < 0) pairs.push([bare, '']);
    else pairs.push([bare.slice(0, end), bare.slice(end).replace(/^\s*[=:]?\s*/, '')]);
  }
  return pairs;
}
