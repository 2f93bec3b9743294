import type { SettingName } from '../../../src/config/settings.ts';

/** Settings of the password of databases. */
export const importSettings: readonly SettingName[] = ['import.password', 'import.password.file'];
