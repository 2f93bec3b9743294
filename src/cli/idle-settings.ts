import { StreamsError } from '../common/errors.ts';
import type { Logger } from '../common/logger.ts';
import { type Config, originText } from '../config/config.ts';
import { type SettingName, settingNames, settings } from '../config/settings.ts';
import type { CommandSpec } from './command-spec.ts';

/**
 * Refuses settings of the command line that do nothing, and tells of those of the environment and of a file: these may be meant for other commands.
 *
 * A setting does nothing where the command does not read it, or where it depends on another one that is not as it must be: `sasl.username` without SASL.
 *
 * @throws {@link StreamsError} `STREAMS_USAGE`
 */
export function checkIdleSettings(
  command: CommandSpec,
  options: Readonly<Record<string, unknown>>,
  config: Config,
  logger: Logger,
): void {
  const read = settingsOf(command, options, config);
  const given = settingNames.filter((name) => {
    const { source } = config.origin(name);
    // An environment says once for all commands where state is: the image does.
    return source !== 'default' && !(source === 'environment' && name === 'state.dir');
  });
  const idle = new Map<string, string[]>();
  for (const name of given) {
    const why = read.has(name) ? unmetCondition(name, config) : unread(command, name);
    if (why === undefined) continue;
    const origin = config.origin(name);
    if (origin.source === 'flag')
      throw new StreamsError('STREAMS_USAGE', `${name} (${origin.where}) does nothing: ${why}. Leave it out.`);
    const alike = idle.get(why) ?? [];
    if (alike.push(`${name} (${originText(origin)})`) === 1) idle.set(why, alike);
  }
  for (const [why, names] of idle)
    logger.warn({}, `${names.join(', ')} ${names.length === 1 ? 'does' : 'do'} nothing: ${why}`);
}

/** The settings that a command reads with these options. */
export function settingsOf(
  command: CommandSpec,
  options: Readonly<Record<string, unknown>>,
  config: Config,
): ReadonlySet<SettingName> {
  const own = (command.options ?? []).flatMap(({ setting }) => setting ?? []);
  return new Set([...own, ...(command.settingsFor?.(options, config) ?? command.settings ?? [])]);
}

function unread({ name: command, settings: known = [] }: CommandSpec, name: SettingName): string {
  return known.includes(name) ? `${command} does not read it with these options` : `${command} does not read it`;
}

function unmetCondition(name: SettingName, config: Config): string | undefined {
  const { onlyWith } = settings[name];
  if (onlyWith === undefined) return undefined;
  const value = String(config.get(onlyWith.setting));
  if (onlyWith.values.includes(value)) return undefined;
  return `${onlyWith.setting} is ${value}, and not ${onlyWith.values.join(' or ')}`;
}
