import { environmentNameOf, type SettingName, settingNames, settings } from '../../src/config/settings.ts';
import { gridProgram } from '../../topologies/grid/program.ts';

const start = '<!-- settings: start -->';
const end = '<!-- settings: end -->';

/** The settings as docs/configuration.md has them. */
export function settingsMarkdown(): string {
  return settingNames
    .map((name) => {
      const { type, defaultText, doc } = settings[name];
      const facts = [
        `- Default: ${defaultText}`,
        `- Accepts: ${type.expected}`,
        `- Environment: \`${environmentNameOf(name)}\``,
        `- Read by: ${readersOf(name).join(', ')}`,
      ];
      return `### \`${name}\`\n\n${doc}\n\n${facts.join('\n')}\n`;
    })
    .join('\n');
}

/** Commands that read a setting, besides those that look at all. */
function readersOf(name: SettingName): readonly string[] {
  return gridProgram.commands
    .filter(({ options = [], settings: read = [] }) => {
      if (read === settingNames) return false;
      return read.includes(name) || options.some(({ setting }) => setting === name);
    })
    .map((command) => `\`${command.name}\``);
}

/** A page with its generated part replaced. */
export function withSettings(page: string, markdown: string): string {
  const from = page.indexOf(start);
  const to = page.indexOf(end);
  if (from < 0 || to < from) throw new Error(`the page needs a line "${start}" and a line "${end}"`);
  return `${page.slice(0, from + start.length)}\n\n${markdown}\n${page.slice(to)}`;
}
