import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ChildPart } from './child-part.ts';
import { freePort, PartMissing } from './parts.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** A real HDFS, a NameNode and a DataNode in a child process on loopback. */
export class HdfsCluster {
  readonly #home: string;
  readonly #data: string;
  readonly #http: number;
  readonly #rpc: number;
  #child: ChildPart | undefined;

  private constructor(home: string, data: string, http: number, rpc: number) {
    this.#home = home;
    this.#data = data;
    this.#http = http;
    this.#rpc = rpc;
  }

  /** @throws PartMissing */
  static async start(): Promise<HdfsCluster> {
    const home = hdfsHome();
    const data = await mkdtemp(join(tmpdir(), 'weir-hdfs-'));
    const cluster = new HdfsCluster(home, data, await freePort(), await freePort());
    await cluster.restart();
    return cluster;
  }

  /** A folder on it, as `--to` takes it. The test's user is the cluster's superuser, the name of this process's. */
  url(path: string): string {
    return `hdfs://${process.env['USER'] ?? 'root'}@127.0.0.1:${this.#http}/${path}`;
  }

  /** Starts the process, over the data that it had. */
  async restart(): Promise<void> {
    const options = ['-Xmx512m', '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn'];
    const classPath = `${this.#home}/classes:${this.#home}/lib/*`;
    this.#child = new ChildPart('java', [
      ...options,
      '-cp',
      classPath,
      'MiniHdfs',
      this.#data,
      `${this.#http}`,
      `${this.#rpc}`,
    ]);
    const child = this.#child;
    await child.until('it was ready', () => child.output.includes('READY'));
  }

  async dataNode(what: 'stop' | 'start'): Promise<void> {
    const child = this.#child!;
    const before = child.output.split('DONE').length;
    child.write(`datanode ${what}`);
    await child.until(`the DataNode's ${what}`, () => child.output.split('DONE').length > before);
  }

  /** Ends the process at once; its data stays. */
  async kill(): Promise<void> {
    await this.#child?.kill();
  }

  async stop(): Promise<void> {
    await this.kill();
    await rm(this.#data, { recursive: true, force: true });
  }
}

/** The folder with the jars and the compiled program; made by Maven and javac the first time. */
function hdfsHome(): string {
  const home = `${root}.cache/hdfs-3.5.0`;
  for (const program of ['java', 'javac']) {
    if (spawnSync(program, ['-version']).status !== 0) throw new PartMissing(`${program} is not installed: no HDFS.`);
  }
  if (existsSync(home)) return home;
  if (spawnSync('mvn', ['-version']).status !== 0) throw new PartMissing('mvn is not installed: no HDFS.');
  const own = `${home}.${process.pid}`;
  mkdirSync(`${own}/classes`, { recursive: true });
  const part = `${root}test/parts/hdfs`;
  run('mvn', ['-q', '-B', '-f', `${part}/pom.xml`, 'dependency:copy-dependencies', `-DoutputDirectory=${own}/lib`]);
  run('javac', ['-cp', `${own}/lib/*`, '-d', `${own}/classes`, `${part}/src/MiniHdfs.java`]);
  try {
    renameSync(own, home);
  } catch (error) {
    rmSync(own, { recursive: true, force: true });
    if (!existsSync(home)) throw error;
  }
  return home;
}

function run(command: string, args: readonly string[]): void {
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8' });
  if (status !== 0) throw new PartMissing(`${command} failed: ${stdout}${stderr}`);
}
