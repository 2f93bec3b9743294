import module, { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { isOurs, withoutTypes } from './typescript-cache.js';

// For `node --expose-internals --import`: runs this repository's TypeScript. It does so in the thread that loads the modules: the thread of `module.register`, which is asked about each
// import, costs as much as all else that most files of tests do.
if (module.registerHooks) module.registerHooks({ resolve: resolveOurs, load: loadWithoutTypes });
else changeLoaderOfNode20();

function resolveOurs(specifier, context, nextResolve) {
  const url = ours(specifier, context.parentURL);
  return url === undefined ? nextResolve(specifier, context) : { url, format: 'module', shortCircuit: true };
}

function loadWithoutTypes(url, context, nextLoad) {
  return isOurs(url) ? { ...loaded(url), shortCircuit: true } : nextLoad(url, context);
}

/** Node 20 has hooks only in a thread of their own. Its inner loader, which no release will change any more, has one method for each. */
function changeLoaderOfNode20() {
  const loader = createRequire(import.meta.url)('internal/modules/esm/loader').getOrInitializeCascadedLoader();
  const { resolve, load } = loader;
  loader.resolve = function resolveOurs(specifier, parentURL, importAttributes) {
    const url = ours(specifier, parentURL);
    return url === undefined ? resolve.call(this, specifier, parentURL, importAttributes) : { url, format: 'module' };
  };
  loader.load = function loadWithoutTypes(url, context) {
    return isOurs(url) ? loaded(url) : load.call(this, url, context);
  };
}

/** What one of our modules means by a path: nobody looks whether it is there, as Node does of each of some hundred, until it is read. */
function ours(specifier, parentURL) {
  if (!specifier.startsWith('.') || parentURL === undefined || !isOurs(parentURL)) return undefined;
  const { href } = new URL(specifier, parentURL);
  return isOurs(href) ? href : undefined;
}

function loaded(url) {
  try {
    return { format: 'module', responseURL: url, source: withoutTypes(fileURLToPath(url)) };
  } catch (error) {
    throw error.code === 'ENOENT' ? Object.assign(error, { code: 'ERR_MODULE_NOT_FOUND' }) : error;
  }
}
