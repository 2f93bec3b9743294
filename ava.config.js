import { fillCache } from './test/helpers/typescript-cache.js';

await fillCache();

export default {
  extensions: { ts: 'module' },
  nodeArguments: ['--import=./test/helpers/typescript.js'],
  workerThreads: false,
  require: ['./test/helpers/worker-ends.ts'],
  files: ['test/**/*.test.ts', '!test/integration/**'],
  timeout: '5m',
};
