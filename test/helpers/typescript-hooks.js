import { fileURLToPath } from 'node:url';
import { rootUrl, withoutTypes } from './typescript-cache.js';

export async function load(url, context, nextLoad) {
  if (!url.startsWith(rootUrl) || !url.endsWith('.ts') || url.includes('/node_modules/')) return nextLoad(url, context);
  return { format: 'module', shortCircuit: true, source: await withoutTypes(fileURLToPath(url)) };
}
