// Tests with real parts: child processes that are killed, Prometheus, Chromium, golden data. `npm test` leaves them out.
export default {
  extensions: { ts: 'module' },
  nodeArguments: ['--import=./test/helpers/typescript.js'],
  workerThreads: false,
  require: ['./test/helpers/worker-ends.ts'],
  files: ['test/integration/**/*.test.ts'],
  timeout: '15m',
  concurrency: 2,
};
