import { readFileSync } from 'node:fs';
import { messageOf, StreamsError } from '../common/errors.ts';
import type { Config } from '../config/config.ts';
import type { AccessOptions } from '../http/access.ts';

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

/** Who may ask a server, by the settings. @throws {@link StreamsError} `STREAMS_CONFIG` */
export function httpAccess(config: Config): AccessOptions {
  const server = config.get('application.server');
  return {
    token: httpToken(config),
    open: config.get('http.open'),
    // The name that others are told is one to be asked by.
    hosts: [...config.get('http.hosts'), ...(server === undefined ? [] : [server.replace(/:\d+$/, '')])],
  };
}
