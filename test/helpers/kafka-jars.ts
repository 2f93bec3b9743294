import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { PartMissing } from './parts.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** The version of Kafka that the tests run against; `KAFKA_VERSION` names another one, such as the oldest that is supported. */
export const kafkaVersion: string = process.env['KAFKA_VERSION'] ?? '4.3.1';

/**
 * The folder with the jars of Kafka and its command line tools; fetched by Maven the first time.
 *
 * Use: `java -cp '<folder>/*' kafka.Kafka server.properties`.
 * @throws PartMissing where there is no Java, or no Maven to fetch the jars.
 */
export function kafkaJars(): string {
  const lib = `${root}.cache/kafka-${kafkaVersion}/lib`;
  if (spawnSync('java', ['-version']).status !== 0) throw new PartMissing('java is not installed: no Kafka broker.');
  if (existsSync(lib)) return lib;
  if (spawnSync('mvn', ['-version']).status !== 0) throw new PartMissing('mvn is not installed: no Kafka broker.');
  // Complete or not there at all: several processes may fetch at once.
  const own = `${lib}.${process.pid}`;
  mkdirSync(own, { recursive: true });
  const args = [
    '-q',
    '-B',
    '-f',
    `${root}test/parts/kafka/pom.xml`,
    'dependency:copy-dependencies',
    `-Dkafka.version=${kafkaVersion}`,
    `-DoutputDirectory=${own}`,
  ];
  const fetched = spawnSync('mvn', args, { encoding: 'utf8' });
  if (fetched.status !== 0) {
    rmSync(own, { recursive: true, force: true });
    throw new PartMissing(`Maven could not fetch Kafka's jars: ${fetched.stdout}${fetched.stderr}`);
  }
  try {
    renameSync(own, lib);
  } catch (error) {
    rmSync(own, { recursive: true, force: true });
    if (!existsSync(lib)) throw error;
  }
  return lib;
}
