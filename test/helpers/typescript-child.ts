/** For node in a child process: TypeScript as the tests themselves run it. Coverage counts a file by positions, which another loader would give otherwise. */
export const typescript: readonly string[] = [
  '--expose-internals',
  `--import=${new URL('typescript.js', import.meta.url).href}`,
];
