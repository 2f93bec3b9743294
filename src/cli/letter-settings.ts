import type { Config } from '../config/config.ts';
import { defaultOf } from '../config/defaults.ts';
import type { SettingName } from '../config/settings.ts';
import type { ApplicationSpec } from './application.ts';
import { applicationIdOf } from './application-id.ts';

/** Settings of the topics of letters. */
export const letterSettings: readonly SettingName[] = ['application.id', 'dead.letter.topic.name', 'late.topic.name'];

/** The topics of dead and late letters; empty: none. */
export interface LetterTopics {
  readonly deadLetterTopic: string;
  readonly lateTopic: string;
}

/** The topics of letters, by the settings: named after the application where they are not set. */
export function letterTopics(spec: ApplicationSpec, config: Config): LetterTopics {
  const given = { 'application.id': applicationIdOf(spec, config) };
  const topic = (name: 'dead.letter.topic.name' | 'late.topic.name'): string => {
    if (config.origin(name).source === 'default') return defaultOf(name, given);
    return config.get(name) === '-' ? '' : config.get(name);
  };
  return { deadLetterTopic: topic('dead.letter.topic.name'), lateTopic: topic('late.topic.name') };
}
