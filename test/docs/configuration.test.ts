import { readFileSync } from 'node:fs';
import test from 'ava';
import { loadConfig } from '../../src/config/load-config.ts';
import { settingNames, settings } from '../../src/config/settings.ts';
import { settingsMarkdown, withSettings } from './settings-markdown.ts';

const page = readFileSync(new URL('../../docs/configuration.md', import.meta.url), 'utf8');

test('docs/configuration.md lists every setting as the schema has it', (t) => {
  t.is(page, withSettings(page, settingsMarkdown()), 'run: node --import tsx test/docs/write-configuration.ts');
  for (const name of settingNames) t.true(page.includes(`### \`${name}\`\n`), name);
});

test('every setting says what it means, and its default in words is the default', (t) => {
  const config = loadConfig();
  for (const name of settingNames) {
    const { doc, defaultText } = settings[name];
    t.regex(doc, /^[A-Z`].*\.$/, name);
    const value = config.get(name);
    const isComputed = ['application.id', 'client.id', 'dead.letter.topic.name', 'late.topic.name'].includes(name);
    const text = value === undefined || (Array.isArray(value) && value.length === 0) ? 'none' : String(value);
    if (!isComputed)
      t.true(defaultText === text || defaultText.startsWith(`${text} `), `${name}: ${defaultText} is not ${text}`);
  }
});
