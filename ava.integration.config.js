import unit from './ava.config.js';

// Tests with real parts: child processes that are killed, Prometheus, Chromium, golden data. `npm test` leaves them out.
export default { ...unit, files: ['test/integration/**/*.test.ts'], timeout: '15m', concurrency: 2 };
