import module, { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { isOurs, withoutTypes } from './typescript-cache.js';

// For `node --expose-internals --import`: runs this repository's TypeScript. It does so in the thread that loads the modules: the thread of `module.register`, which is asked about each
// import, costs as much as all else that most files of tests do.
if (module.registerHooks) module.registerHooks({ load: loadWithoutTypes });
else changeLoaderOfNode20();

function loadWithoutTypes(url, context, nextLoad) {
  if (!isOurs(url)) return nextLoad(url, context);
  return { format: 'module', shortCircuit: true, source: withoutTypes(fileURLToPath(url)) };
}

/** Node 20 has hooks only in a thread of their own. Its inner loader, which no release will change any more, has one place for formats and one for sources. */
function changeLoaderOfNode20() {
  const require = createRequire(import.meta.url);
  const { extensionFormatMap } = require('internal/modules/esm/formats');
  const { translators } = require('internal/modules/esm/translators');
  const translate = translators.get('module');
  extensionFormatMap['.ts'] = 'module';
  translators.set('module', function withoutTheTypes(url, source, isMain) {
    return translate.call(this, url, isOurs(url) ? withoutTypes(fileURLToPath(url)) : source, isMain);
  });
}
