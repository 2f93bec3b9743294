import type { Config } from '../config/config.ts';
import type { SettingName } from '../config/settings.ts';
import type { AccessOptions } from '../http/access.ts';
import { httpToken, tokenSettings } from './http-token.ts';

/** Settings of a server. */
export const accessSettings: readonly SettingName[] = [
  ...tokenSettings,
  'application.server',
  'http.hosts',
  'http.open',
];

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
