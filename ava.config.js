import { fillCache } from './test/helpers/typescript-cache.js';

fillCache();

export default {
  extensions: { ts: 'module' },
  nodeArguments: ['--expose-internals', '--import=./test/helpers/typescript.js'],
  workerThreads: false,
  require: ['./test/helpers/worker-ends.ts'],
  files: ['test/**/*.test.ts', '!test/integration/**'],
  timeout: '5m',
};
