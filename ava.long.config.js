import unit from './ava.config.js';

// Tests that need no services but long: every place at which a program may be killed, random damages, random runs. `npm test` leaves them out.
export default { ...unit, files: ['test/**/*.long.test.ts'] };
