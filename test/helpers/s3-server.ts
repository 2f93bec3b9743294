import { spawnSync } from 'node:child_process';
import { existsSync, renameSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { ChildPart } from './child-part.ts';
import { freePort, PartMissing } from './parts.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** An S3 server (moto, from PyPI), a child process on loopback. It keeps its data in memory. */
export class S3Server {
  readonly endpoint: string;
  readonly #port: number;
  #child: ChildPart | undefined;

  private constructor(port: number) {
    this.#port = port;
    this.endpoint = `http://127.0.0.1:${port}`;
  }

  /** @throws PartMissing */
  static async start(): Promise<S3Server> {
    const server = new S3Server(await freePort());
    const program = s3Program();
    const child = new ChildPart(program, ['-m', 'moto.server', '-H', '127.0.0.1', '-p', `${server.#port}`]);
    server.#child = child;
    await child.until('it answered', async () => (await fetch(server.endpoint).catch(() => undefined)) !== undefined);
    return server;
  }

  /** Variables by which a program reaches it. */
  get env(): Record<string, string> {
    return {
      AWS_ENDPOINT_URL_S3: this.endpoint,
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'test',
      AWS_REGION: 'us-east-1',
    };
  }

  async stop(): Promise<void> {
    await this.#child?.kill();
  }
}

function s3Program(): string {
  const home = `${root}.cache/moto-5`;
  const program = `${home}/bin/python`;
  if (!existsSync(home)) {
    const own = `${home}.${process.pid}`;
    for (const [command, args] of [
      ['python3', ['-m', 'venv', own]],
      [`${own}/bin/pip`, ['install', '-q', 'moto[server,s3]==5.*']],
    ] as const) {
      const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8' });
      if (status === 0) continue;
      rmSync(own, { recursive: true, force: true });
      throw new PartMissing(`no S3 server: ${command} failed: ${error?.message ?? ''}${stdout}${stderr}`);
    }
    try {
      renameSync(own, home);
    } catch (error) {
      rmSync(own, { recursive: true, force: true });
      if (!existsSync(home)) throw error;
    }
  }
  return program;
}
