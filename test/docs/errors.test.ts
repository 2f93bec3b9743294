import { readFileSync } from 'node:fs';
import test from 'ava';
import { type StreamsErrorCode, streamsErrors } from '../../src/common/errors.ts';
import { HttpProblem, type ProblemCode } from '../../src/http/problem.ts';

const page = readFileSync(new URL('../../docs/errors.md', import.meta.url), 'utf8');
const sections = page
  .split(/^## /m)
  .slice(1)
  .map((section) => {
    const [title = '', ...lines] = section.split('\n');
    return { title, text: lines.join('\n') };
  });
const codes = sections.filter(({ title }) => title.startsWith('STREAMS_'));

test('docs/errors.md lists exactly the codes there are, in their order', (t) => {
  t.deepEqual(
    codes.map(({ title }) => title),
    Object.keys(streamsErrors),
  );
});

test('each code has its exit code, a cause and a remedy', (t) => {
  for (const { title, text } of codes) {
    const exit = /^Exit code: (\d)$/m.exec(text)?.[1];
    t.is(Number(exit), streamsErrors[title as keyof typeof streamsErrors], title);
    t.regex(text, /^\*\*Cause\.\*\* \S.{20,}\.$/m, title);
    t.regex(text, /^\*\*Remedy\.\*\* \S.{20,}\.$/m, title);
  }
});

test('the codes that only HTTP has are there with their status', (t) => {
  // The type makes this list whole.
  const codes: Readonly<Record<Exclude<ProblemCode, StreamsErrorCode>, true>> = {
    HTTP_NOT_FOUND: true,
    HTTP_METHOD_NOT_ALLOWED: true,
    HTTP_NOT_READY: true,
    HTTP_BUSY: true,
    HTTP_HOST_UNKNOWN: true,
    HTTP_UNAUTHORIZED: true,
    HTTP_FORBIDDEN: true,
    HTTP_INTERNAL: true,
  };
  for (const code of Object.keys(codes) as (keyof typeof codes)[]) {
    const status = new RegExp(`^\\| \`${code}\` +\\| (\\d+) `, 'm').exec(page)?.[1];
    t.is(Number(status), new HttpProblem(code, '').status, code);
  }
});
