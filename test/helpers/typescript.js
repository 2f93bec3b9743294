import { register } from 'node:module';

// For `node --import`: runs TypeScript, as tsx does, in less time. See typescript-hooks.js.
register('./typescript-hooks.js', import.meta.url);
