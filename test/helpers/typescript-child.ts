/** For `node --import` of a child process: TypeScript as the tests themselves run it. Coverage counts a file by positions, which another loader would give otherwise. */
export const typescript: string = new URL('typescript.js', import.meta.url).href;
