import { availableParallelism } from 'node:os';
import { fillCache } from './test/helpers/typescript-cache.js';

fillCache();

export default {
  extensions: { ts: 'module' },
  nodeArguments: ['--expose-internals', '--import=./test/helpers/typescript.js'],
  workerThreads: false,
  require: ['./test/helpers/worker-ends.ts'],
  files: ['test/**/*.test.ts', '!test/**/*.long.test.ts', '!test/integration/**'],
  // One more than there are cores: many files wait for something now and then.
  concurrency: availableParallelism() + 1,
  timeout: '5m',
};
