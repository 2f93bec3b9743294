import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { ExecutionContext } from 'ava';

const run = promisify(execFile);
const root = new URL('../../../', import.meta.url);

/** An empty project of a user with the package as npm packs it, and nothing else. */
export class PackedProject {
  readonly folder: string;
  readonly #node: string;

  private constructor(folder: string, node: string) {
    this.folder = folder;
    this.#node = node;
  }

  /** @param node - The Node that everything runs on, npm too. */
  static async create(t: ExecutionContext, node: string = process.execPath): Promise<PackedProject> {
    const folder = await mkdtemp(join(tmpdir(), 'weir-package-'));
    t.teardown(() => rm(folder, { recursive: true, force: true }));
    const { stdout } = await run('npm', ['pack', '--ignore-scripts', '--silent', '--pack-destination', folder], {
      cwd: root,
    });
    await writeFile(join(folder, 'package.json'), '{ "name": "project", "private": true }');
    const project = new PackedProject(folder, node);
    await project.install([`./${stdout.trim()}`]);
    return project;
  }

  async install(packages: readonly string[]): Promise<void> {
    await this.run('npm', ['install', '--no-audit', '--no-fund', '--prefer-offline', ...packages]);
  }

  /** Runs a command in the project; gives what it prints. */
  async run(command: string, args: readonly string[]): Promise<string> {
    const env = { ...process.env, PATH: `${dirname(this.#node)}${delimiter}${process.env['PATH']}` };
    const { stdout } = await run(command, args, { cwd: this.folder, env });
    return stdout;
  }

  /** What a program prints. */
  async printed(name: string, program: string): Promise<string> {
    await writeFile(join(this.folder, name), program);
    return this.run(this.#node, [name]);
  }

  /** Names of the packages that are installed. */
  async packages(): Promise<readonly string[]> {
    const names = (await readdir(this.#modules)).filter((name) => !name.startsWith('.'));
    const scoped = names
      .filter((name) => name.startsWith('@'))
      .map(async (scope) => (await readdir(join(this.#modules, scope))).map((name) => `${scope}/${name}`));
    return [...names.filter((name) => !name.startsWith('@')), ...(await Promise.all(scoped)).flat()];
  }

  /** Bytes that they take on the disk. */
  async bytes(): Promise<number> {
    return Number.parseInt(await this.run('du', ['-sk', this.#modules]), 10) * 1024;
  }

  get #modules(): string {
    return join(this.folder, 'node_modules');
  }
}
