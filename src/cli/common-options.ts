import { StreamsError } from '../common/errors.ts';
import type { CommonOptions } from './command-line.ts';
import { logLevels } from './log.ts';

/** Options that the frame itself reads. */
export const commonOptions: CommonOptions = {
  everywhere: [
    {
      flags: '--log-level <level>',
      description: 'how much to log to stderr',
      choices: logLevels,
      default: 'warn',
      env: 'WEIR_LOG_LEVEL',
    },
  ],
  settings: [
    { flags: '--set <name=value>', description: 'a setting, such as commit.interval.ms=500', repeatable: true },
    { flags: '--config <file>', description: 'settings as YAML, JSON or .properties', env: 'WEIR_CONFIG' },
  ],
};

/** `NAME=VALUE` texts by name. @throws {@link StreamsError} `STREAMS_USAGE` */
export function readSetFlags(texts: readonly string[]): Readonly<Record<string, string>> {
  const flags = new Map<string, string>();
  for (const text of texts) {
    const equals = text.indexOf('=');
    if (equals <= 0) throw new StreamsError('STREAMS_USAGE', `--set ${JSON.stringify(text)}: expected NAME=VALUE.`);
    const name = text.slice(0, equals).trim();
    // Without the values: one may be a secret.
    if (flags.has(name)) throw new StreamsError('STREAMS_USAGE', `--set ${name} is given twice: give it once.`);
    flags.set(name, text.slice(equals + 1));
  }
  return Object.fromEntries(flags);
}
