import type { Config } from '../config/config.ts';
import { type Check, failed, ok, warning } from './doctor-check.ts';

const leastNode = [20, 19] as const;

/** What the settings say, and what of it is worth a word. That they can be read at all is known by then. */
export function configurationChecks(config: Config, applicationId: string): readonly Check[] {
  const about = 'configuration';
  const set = config.entries().filter(({ origin }) => origin.source !== 'default').length;
  const guarantee = config.get('processing.guarantee');
  const checks: Check[] = [
    ok(about, `application ${applicationId}, ${guarantee}; ${set} ${set === 1 ? 'setting is' : 'settings are'} set`),
  ];
  if (guarantee === 'at_least_once')
    checks.push(
      warning(
        about,
        'processing.guarantee is at_least_once: after a crash changes can count twice, and tables that subtract can be too high',
        'Leave it at exactly_once unless that does not matter.',
      ),
    );
  const begins = config.get('auto.offset.reset');
  if (begins !== 'earliest')
    checks.push(
      warning(
        about,
        `auto.offset.reset is ${begins}: ${begins === 'latest' ? 'a first start leaves out what the topics hold already' : 'a first start ends with an error'}`,
        'Set it to earliest to count everything.',
      ),
    );
  if (config.get('security.protocol').endsWith('ssl') && !config.get('ssl.verify'))
    checks.push(
      warning(
        about,
        'ssl.verify is false: whoever is on the way to the brokers can read and change everything',
        'Name the certificates with ssl.ca.file, and leave ssl.verify at true.',
      ),
    );
  return checks;
}

/** Whether this version of Node will do. @param version - such as '20.19.0' */
export function nodeCheck(version: string = process.versions.node): Check {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const needed = leastNode.join('.');
  return major > leastNode[0] || (major === leastNode[0] && minor >= leastNode[1])
    ? ok('node', `${version}, and ${needed} or later is needed`)
    : failed('node', `${version} is too old`, `Install Node ${needed} or later.`);
}
