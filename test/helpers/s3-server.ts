import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { ChildPart } from './child-part.ts';
import { freePort } from './parts.ts';
import { pythonHome } from './python-home.ts';

/** An S3 server (moto, from PyPI), a child process on loopback. It keeps its data in memory. */
export class S3Server {
  readonly endpoint: string;
  readonly port: number;
  #child: ChildPart | undefined;

  private constructor(port: number) {
    this.port = port;
    this.endpoint = `http://127.0.0.1:${port}`;
  }

  /**
   * @param options - `knowsKeys`: it judges credentials, and knows none. By default it takes any.
   * @throws PartMissing
   */
  static async start(options: { readonly knowsKeys?: boolean } = {}): Promise<S3Server> {
    const server = new S3Server(await freePort());
    const program = pythonHome('moto-5', ['moto[server,s3]==5.*']);
    const child = new ChildPart(program, ['-m', 'moto.server', '-H', '127.0.0.1', '-p', `${server.port}`], {
      env: { ...process.env, ...(options.knowsKeys === true ? { INITIAL_NO_AUTH_ACTION_COUNT: '0' } : {}) },
    });
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

  /** Makes a bucket; this process reaches the server from now on, by its environment. */
  async createBucket(bucket: string): Promise<void> {
    Object.assign(process.env, this.env);
    const client = new S3Client({ endpoint: this.endpoint, forcePathStyle: true });
    await client.send(new CreateBucketCommand({ Bucket: bucket }));
    client.destroy();
  }

  async stop(): Promise<void> {
    await this.#child?.kill();
  }
}
