import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { z } from 'zod';

/** The checkout. */
export const root: URL = new URL('../../', import.meta.url);

/** A file of the checkout. */
export function fileOf(path: string): string {
  return readFileSync(new URL(path, root), 'utf8');
}

/** A YAML file of the checkout, its merge keys resolved. */
export function yamlOf(path: string): unknown {
  return parse(fileOf(path), { merge: true });
}

/** How Docker finds out whether a service is well, or that it doesn't. */
export type HealthCheck =
  | { readonly disable: true }
  | {
      readonly test: readonly string[];
      readonly interval: string;
      readonly timeout: string;
      readonly retries: number;
      readonly start_period: string;
    };

/** A service of docker-compose.yml. */
export interface Service {
  readonly image: string;
  readonly build?: '.' | undefined;
  readonly profiles?: readonly string[] | undefined;
  readonly restart: 'no' | 'unless-stopped';
  readonly read_only?: boolean | undefined;
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>> | undefined;
  readonly networks?: { readonly default: { readonly aliases: readonly string[] } } | undefined;
  readonly entrypoint?: readonly string[] | undefined;
  readonly command?: readonly string[] | undefined;
  readonly environment?: Readonly<Record<string, string>> | undefined;
  readonly ports?: readonly string[] | undefined;
  readonly volumes?: readonly string[] | undefined;
  readonly healthcheck?: HealthCheck | undefined;
}

/** docker-compose.yml. */
export interface ComposeFile {
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes: Readonly<Record<string, null>>;
}

const duration = z.string().regex(/^(\d+(ms|s|m|h))+$/);
const condition = z.enum(['service_started', 'service_healthy', 'service_completed_successfully']);

const healthCheck: z.ZodType<HealthCheck> = z.union([
  z.strictObject({ disable: z.literal(true) }),
  z.strictObject({
    test: z.array(z.string()).min(2),
    interval: duration,
    timeout: duration,
    retries: z.int().positive(),
    start_period: duration,
  }),
]);

// As strict as it can be: Compose ignores what it does not know in some places, and says nothing.
const service: z.ZodType<Service> = z.strictObject({
  image: z.string(),
  build: z.literal('.').optional(),
  profiles: z.array(z.string()).optional(),
  restart: z.enum(['no', 'unless-stopped']),
  read_only: z.boolean().optional(),
  tmpfs: z.array(z.string()).optional(),
  cap_drop: z.array(z.string()).optional(),
  security_opt: z.array(z.string()).optional(),
  stop_grace_period: duration.optional(),
  depends_on: z.record(z.string(), z.strictObject({ condition })).optional(),
  networks: z.strictObject({ default: z.strictObject({ aliases: z.array(z.string()) }) }).optional(),
  entrypoint: z.array(z.string()).optional(),
  command: z.array(z.string()).optional(),
  environment: z.record(z.string(), z.string()).optional(),
  ports: z.array(z.string().regex(/^127\.0\.0\.1:\d+:\d+$/)).optional(),
  volumes: z.array(z.string().regex(/^[\w./-]+:\/[\w./-]+(:ro)?$/)).optional(),
  healthcheck: healthCheck.optional(),
});

const composeFile: z.ZodType<ComposeFile> = z.strictObject({
  'x-weir': z.unknown(),
  'x-run': z.unknown(),
  services: z.record(z.string(), service),
  volumes: z.record(z.string(), z.null()),
});

/** Reads docker-compose.yml; fails with the path of what Compose would not know. */
export function readCompose(text: string = fileOf('docker-compose.yml')): ComposeFile {
  return composeFile.parse(parse(text, { merge: true }));
}

/** A mount of a service. */
export interface Mount {
  /** A volume, or a path that begins with `./`. */
  readonly source: string;
  readonly target: string;
  readonly readOnly: boolean;
}

/** The mounts of a service. */
export function mountsOf({ volumes = [] }: Service): readonly Mount[] {
  return volumes.map((text) => {
    const [source, target, mode] = text.split(':');
    return { source: source!, target: target!, readOnly: mode === 'ro' };
  });
}

const entrypoint = 'node dist/topologies/grid/main.js ';

/** The words after `weir` that a service runs; undefined for a service that runs something else. */
export function weirWordsOf({ image, entrypoint: own, command = [] }: Service): readonly string[] | undefined {
  if (!image.startsWith('weir:')) return undefined;
  if (own === undefined) return command;
  // A shell: what it runs stands between the entry point and the end of that command.
  const script = command.join(' ');
  const words = script.slice(script.indexOf(entrypoint) + entrypoint.length).split(/ ?(?:&&|\|\||;)/)[0]!;
  return words.trim().split(/\s+/);
}
