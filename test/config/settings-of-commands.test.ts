import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { defaultOf } from '../../src/config/defaults.ts';
import { type SettingName, settingNames, settings } from '../../src/config/settings.ts';
import { gridProgram } from '../../topologies/grid/program.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** The code of a module, without what only names settings: comments, lists of what is read, options, types and what is never loaded. */
function codeOf(file: string): string {
  return readFileSync(file, 'utf8')
    .replace(/^\s*(\/\/|\/?\*).*$/gm, '')
    .replace(/^(export )?const \w+Settings: readonly SettingName\[\] =[^;]*;/gm, '')
    .replace(/^ *(settings|settingsFor): [^\n]*?(\[[^\]]*\]|.)*?,\n(?= *(\w+[:(]|async |run))/gms, '')
    .replace(/\bsetting: '[^']*'/g, '')
    .replace(/\b(defaultOf|overFiles)\([^)]*\)/g, '')
    .replace(/^import type [^;]*;/gm, '');
}

/** Modules that are loaded with a module, whenever that is. */
function loadedWith(file: string, found = new Map<string, string>()): ReadonlyMap<string, string> {
  if (found.has(file)) return found;
  const code = codeOf(file);
  found.set(file, code);
  for (const [, from] of code.matchAll(/(?:from |import\()'(\.[^']+\.ts)'/g))
    loadedWith(join(dirname(file), from!), found);
  return found;
}

/** Settings that another one is taken from where it is not given. */
function defaultDependsOn(name: SettingName): readonly SettingName[] {
  const asked: SettingName[] = [];
  settings[name].defaultOf({
    runtime: 'kafka',
    get(other) {
      asked.push(other);
      return defaultOf(other);
    },
  });
  return asked;
}

function fileOf(command: string): string {
  const name = `${command.replace(' ', '-')}-command.ts`.replace('config-print', 'config');
  const places = ['src/cli', 'topologies/grid/commands'].map((folder) => join(root, folder, name));
  return places.find((place) => existsSync(place))!;
}

for (const { name, options = [], settings: given } of gridProgram.commands) {
  test(`${name} names the settings that it reads, and no other`, (t) => {
    const modules = [...loadedWith(fileOf(name))].filter(([file]) => !relative(root, file).startsWith('src/config/'));
    const readers = (setting: string): readonly string[] =>
      modules.filter(([, code]) => code.includes(`'${setting}'`)).map(([file]) => relative(root, file));
    const readsAll = modules.some(([, code]) => /\bconfig\s*\.entries\(\)/.test(code));
    const own = new Set(options.flatMap(({ setting }) => setting ?? []));
    const named = new Set(given ?? []);
    const defaults = new Set([...named, ...own].flatMap(defaultDependsOn));
    for (const setting of settingNames) {
      const found = readsAll ? ['all'] : readers(setting);
      if (own.has(setting)) continue;
      if (named.has(setting))
        t.true(
          found.length > 0 || defaults.has(setting),
          `${name} names ${setting}, and nothing that it loads reads it`,
        );
      else t.deepEqual(found, [], `${name} reads ${setting}, and its settings do not name it`);
    }
  });
}

test('every setting is read by a command besides config print and doctor, which look at all', (t) => {
  const commands = gridProgram.commands.filter(({ settings: given }) => given !== settingNames);
  const read = new Set(
    commands.flatMap(({ options = [], settings: given = [] }) => [
      ...given,
      ...options.flatMap(({ setting }) => setting ?? []),
    ]),
  );
  t.deepEqual(
    settingNames.filter((name) => !read.has(name)),
    [],
  );
});
