import { register } from 'node:module';

// For `node --import`: runs this repository's TypeScript in less time than tsx, of which most tests would otherwise consist.
register('./typescript-hooks.js', import.meta.url);
