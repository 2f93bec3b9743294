import { createRequire } from 'node:module';
import { messageOf, StreamsError } from './errors.ts';
import { ownPackage } from './own-package.ts';

/** A part of weir that needs packages which are not installed with it. */
export interface PackageNeed {
  /** The subject of a sentence: `Kafka`. */
  readonly what: string;
  readonly packages: readonly string[];
}

export const kafkaNeed: PackageNeed = { what: 'Kafka', packages: ['kafkajs'] };
export const serverNeed: PackageNeed = {
  what: 'HTTP with metrics',
  packages: ['hono', '@hono/node-server', 'prom-client'],
};
export const commandLineNeed: PackageNeed = {
  what: 'The command line',
  packages: ['commander', 'pino', 'yaml', 'cli-progress', ...serverNeed.packages],
};

/**
 * What `load` imports.
 *
 * @throws StreamsError `STREAMS_CONFIG` - one of the packages is not installed. It says how to install all of them.
 */
export async function withPackages<T>(need: PackageNeed, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (cause) {
    throw asMissing(need, cause);
  }
}

/**
 * A CommonJS package, or a file of one, when it is first needed.
 *
 * @throws StreamsError `STREAMS_CONFIG` - it is not installed.
 */
export function requirePackage(need: PackageNeed, path: string): unknown {
  try {
    return createRequire(import.meta.url)(path);
  } catch (cause) {
    throw asMissing(need, cause);
  }
}

/** `npm install hono@4 prom-client@15`: in the versions that go with this one. */
export function installLine(packages: readonly string[]): string {
  const ranges = ownPackage()?.peerDependencies ?? {};
  return ['npm install', ...packages.map((name) => `${name}${versionOf(ranges[name])}`)].join(' ');
}

/** `^4.13.19` is `@4`, `^0.17.0` is `@0.17`: without a character that a shell takes for its own. */
function versionOf(range: string | undefined): string {
  const [, version] = range?.match(/^\^?(0\.\d+|\d+)/) ?? [];
  return version === undefined ? '' : `@${version}`;
}

function asMissing({ what, packages }: PackageNeed, cause: unknown): unknown {
  const code = (cause as NodeJS.ErrnoException | null)?.code;
  if (code !== 'ERR_MODULE_NOT_FOUND' && code !== 'MODULE_NOT_FOUND') return cause;
  const [, missing] = messageOf(cause).match(/Cannot find (?:package|module) '([^']+)'/) ?? [];
  if (!packages.some((name) => missing === name || missing?.startsWith(`${name}/`))) return cause;
  const verb = packages.length === 1 ? 'a package that is' : 'packages that are';
  const message = `${what} needs ${verb} not installed with weir-streams. Install beside it: ${installLine(packages)}`;
  return new StreamsError('STREAMS_CONFIG', message, { cause });
}
