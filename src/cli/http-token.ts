import { readFileSync } from 'node:fs';
import { messageOf, StreamsError } from '../common/errors.ts';
import type { Config } from '../config/config.ts';
import type { SettingName } from '../config/settings.ts';

/** Settings of the token. */
export const tokenSettings: readonly SettingName[] = ['http.token', 'http.token.file'];

/** The token of HTTP: what servers ask for, and commands that ask servers send. @throws {@link StreamsError} `STREAMS_CONFIG` - its file cannot be read, or is empty */
export function httpToken(config: Config): string | undefined {
  const token = config.get('http.token');
  const file = config.get('http.token.file');
  if (token !== undefined || file === undefined) return token;
  let text: string;
  try {
    text = readFileSync(file, 'utf8').trim();
  } catch (cause) {
    throw new StreamsError(
      'STREAMS_CONFIG',
      `http.token.file cannot be read: ${messageOf(cause)}. Give the path of a file.`,
      { cause },
    );
  }
  if (text !== '') return text;
  throw new StreamsError('STREAMS_CONFIG', `http.token.file ${file} is empty: put the token into it.`);
}
