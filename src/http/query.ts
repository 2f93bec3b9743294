import { z } from 'zod';
import { messageOf } from '../common/errors.ts';
import { nearestName } from '../config/nearest.ts';
import { HttpProblem } from './problem.ts';
import type { QueryParameter, Route } from './route.ts';

/** Reads a query: the parameters in their normal form, or an HttpProblem `STREAMS_USAGE` that names every fault. */
export type QueryReader = (query: URLSearchParams) => Record<string, string>;

/** A reader for the query that a route describes. */
export function queryReader(spec: Route['query']): QueryReader {
  const names = Object.keys(spec);
  const schema = z.strictObject(
    Object.fromEntries(Object.entries(spec).map(([name, parameter]) => [name, schemaOf(name, parameter).optional()])),
  );
  return (query) => {
    const given: Record<string, string> = Object.create(null);
    const faults: string[] = [];
    for (const [name, value] of query) {
      if (name in given) faults.push(`${quoted(name)} is given twice`);
      given[name] = value;
    }
    const result = schema.safeParse(given);
    if (!result.success) {
      for (const issue of result.error.issues) faults.push(...describe(issue, names));
    }
    if (faults.length > 0 || !result.success) throw new HttpProblem('STREAMS_USAGE', sentence(faults));
    return result.data as Record<string, string>;
  };
}

function schemaOf(name: string, { values, parse }: QueryParameter): z.ZodType<string, string> {
  let schema: z.ZodType<string, string> = z.string();
  if (values !== undefined) {
    schema = z.string().refine((text) => values.includes(text), {
      error: ({ input }) => `${name} must be one of ${values.join(', ')}, not ${quoted(String(input))}`,
    });
  }
  if (parse === undefined) return schema;
  return schema.transform((text, context) => {
    try {
      return parse(text);
    } catch (error) {
      context.addIssue({ code: 'custom', message: `${name}: ${messageOf(error)}` });
      return z.NEVER;
    }
  });
}

function describe(issue: z.core.$ZodIssue, known: readonly string[]): string[] {
  if (issue.code !== 'unrecognized_keys') return [issue.message];
  return issue.keys.map((name) => {
    const near = nearestName(name, known);
    const hint = near === undefined ? takes(known) : `did you mean ${quoted(near)}?`;
    return `${quoted(name)} is not a query parameter here: ${hint}`;
  });
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
