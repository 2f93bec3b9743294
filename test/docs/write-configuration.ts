// Writes the list of settings into docs/configuration.md: node --import tsx test/docs/write-configuration.ts
import { readFileSync, writeFileSync } from 'node:fs';
import { settingsMarkdown, withSettings } from './settings-markdown.ts';

const page = new URL('../../docs/configuration.md', import.meta.url);
writeFileSync(page, withSettings(readFileSync(page, 'utf8'), settingsMarkdown()));
