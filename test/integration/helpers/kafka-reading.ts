import { EventEmitter } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { runCli } from '../../../src/cli/cli.ts';
import { gridProgram } from '../../../topologies/grid/program.ts';
import type { Files } from './recount-statistics.ts';
import { type Finished, filesOf } from './weir.ts';

/** Runs a command line in this process: a command that ends by itself is a second faster so. */
export async function commandLine(argv: readonly string[]): Promise<Finished> {
  const [stdout, stderr] = [new Text(), new Text()];
  const signals = new EventEmitter();
  const code = await runCli({ ...gridProgram, argv, env: {}, stdout, stderr, signals });
  return { code, stdout: stdout.text, stderr: stderr.text };
}

class Text extends Writable {
  text = '';

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
}

/** Words that say where results are read. */
export const places = {
  changelogs: (brokers: string, applicationId: string): readonly string[] => [
    ...['--brokers', brokers, '--application-id', applicationId],
  ],
  folders: (states: readonly string[]): readonly string[] => states.flatMap((state) => ['--state', state]),
  url: (url: string): readonly string[] => ['--url', url],
};

/** The 24 files that `export` writes from a place. */
export async function exportedFrom(place: readonly string[]): Promise<Files> {
  const out = await mkdtemp(join(tmpdir(), 'weir-export-'));
  try {
    const { code, stderr } = await commandLine(['export', ...place, '--out', out]);
    if (code !== 0) throw new Error(`export ${place.join(' ')} ended with ${code}: ${stderr}`);
    return await filesOf(out);
  } finally {
    await rm(out, { recursive: true, force: true });
  }
}

/** What `digest` says of a place. */
export async function digestFrom(place: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await commandLine(['digest', ...place]);
  if (code !== 0 || !/^[0-9a-f]{64}\n$/.test(stdout)) throw new Error(`digest ${place.join(' ')}: ${code} ${stderr}`);
  return stdout.trim();
}
