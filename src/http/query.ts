import { messageOf } from '../common/errors.ts';
import { nearestName } from '../config/nearest.ts';
import { HttpProblem } from './problem.ts';
import type { QueryParameter, Route } from './route.ts';

/** Reads a query: the parameters in their normal form, or an HttpProblem `STREAMS_USAGE` that names every fault. */
export type QueryReader = (query: URLSearchParams) => Record<string, string>;

/** A reader for the query that a route describes. */
export function queryReader(spec: Route['query']): QueryReader {
  return (query) => {
    const found: Record<string, string> = Object.create(null);
    const faults: string[] = [];
    for (const [name, value] of query) {
      const parameter = Object.hasOwn(spec, name) ? spec[name] : undefined;
      if (parameter === undefined) faults.push(unknown(name, Object.keys(spec)));
      else if (name in found) faults.push(`${quoted(name)} is given twice`);
      else found[name] = read(name, parameter, value, faults);
    }
    if (faults.length > 0) throw new HttpProblem('STREAMS_USAGE', sentence(faults));
    return found;
  };
}

/** A value in its normal form; what is wrong with it is added to the faults. */
function read(name: string, { values, parse }: QueryParameter, text: string, faults: string[]): string {
  if (values !== undefined && !values.includes(text)) {
    faults.push(`${name} must be one of ${values.join(', ')}, not ${quoted(text)}`);
    return text;
  }
  try {
    return parse === undefined ? text : parse(text);
  } catch (error) {
    faults.push(`${name}: ${messageOf(error)}`);
    return text;
  }
}

function unknown(name: string, known: readonly string[]): string {
  const near = nearestName(name, known);
  const hint = near === undefined ? takes(known) : `did you mean ${quoted(near)}?`;
  return `${quoted(name)} is not a query parameter here: ${hint}`;
}

function takes(known: readonly string[]): string {
  return known.length === 0 ? 'this path takes none' : `this path takes ${known.join(', ')}`;
}

function sentence(faults: readonly string[]): string {
  const text = faults.join('; ');
  return text.endsWith('?') ? text : `${text}.`;
}

/** A name in quotes; a long one is cut, so that an answer is never much longer than it has to be. */
function quoted(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
}
