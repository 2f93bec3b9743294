import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { kafkaJars } from './kafka-jars.ts';
import { kafkaSecurity } from './kafka-security.ts';
import { freePort } from './parts.ts';
import { TcpProxy } from './tcp-proxy.ts';

/** How a broker is started. */
export interface KafkaOptions {
  /** Lines of server.properties, over the defaults of `serverProperties`. */
  readonly properties?: Readonly<Record<string, string>>;
  /** Keeps the folder with its data, configuration and log after `stop`. @defaultValue false */
  readonly keepData?: boolean;
  /** A second way in, through a proxy that can cut connections: `proxy` and `proxied` of the result. @defaultValue false */
  readonly throughProxy?: boolean;
  /** A third way in, with TLS and a login (`kafkaUser`): `secured` and `ca` of the result. @defaultValue false */
  readonly secure?: boolean;
  /** Further ways in by their names, each with its protocol, such as `SSL`: `address` of the result says where. What they need is in `properties`. */
  readonly listeners?: Readonly<Record<string, string>>;
  /** Host names at which further ways in are advertised, by their names. @defaultValue 127.0.0.1 */
  readonly advertised?: Readonly<Record<string, string>>;
  /** @defaultValue 1g */
  readonly heap?: string;
  /** Port of its controller. @defaultValue a free one */
  readonly controller?: number;
}

/** A real Kafka broker, a child process on loopback. */
export class KafkaServer {
  /** `host:port`. */
  readonly bootstrap: string;
  /** `host:port` of the proxy; what the broker advertises there leads through the proxy too. */
  readonly proxied: string | undefined;
  readonly proxy: TcpProxy | undefined;
  /** `host:port` of the way in with TLS and login, and the certificate to trust, as PEM. */
  readonly secured: string | undefined;
  readonly ca: string | undefined;
  /** Folder of server.properties, kafka.log and data. */
  readonly dataDir: string;
  readonly #lib: string;
  readonly #port: number;
  readonly #options: KafkaOptions;
  readonly #further: ReadonlyMap<string, number>;
  #child: ChildProcess | undefined;
  readonly #atExit = (): void => {
    this.#child?.kill('SIGKILL');
  };

  constructor(lib: string, dataDir: string, { port, secured, further }: Ports, ways: Ways, options: KafkaOptions) {
    const { proxy, ca } = ways;
    this.#further = further;
    this.#lib = lib;
    this.dataDir = dataDir;
    this.#port = port;
    this.#options = options;
    this.bootstrap = `127.0.0.1:${port}`;
    this.proxy = proxy;
    this.proxied = proxy && `127.0.0.1:${proxy.port}`;
    this.secured = secured === undefined ? undefined : `127.0.0.1:${secured}`;
    this.ca = ca;
    process.once('exit', this.#atExit);
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** `host:port` of a further listener. */
  address(listener: string): string {
    return `127.0.0.1:${this.#further.get(listener)}`;
  }

  /** Starts the process and waits until it serves. */
  async start(): Promise<void> {
    const child = spawn(
      'java',
      [
        `-Xmx${this.#options.heap ?? '1g'}`,
        '-XX:+UseSerialGC',
        '-XX:TieredStopAtLevel=4',
        '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn',
        '-cp',
        `${this.#lib}/*`,
        'kafka.Kafka',
        join(this.dataDir, 'server.properties'),
      ],
      { stdio: ['ignore', 'pipe', 'pipe'], cwd: this.dataDir },
    );
    this.#child = child;
    const log = createWriteStream(join(this.dataDir, 'kafka.log'), { flags: 'a' });
    child.stdout!.pipe(log, { end: false });
    child.stderr!.pipe(log, { end: false });
    child.once('exit', () => {
      if (this.#child === child) this.#child = undefined;
      log.end();
    });
    const until = Date.now() + 60_000;
    while (!(await answersMetadata(this.#port))) {
      if (this.#child !== child || Date.now() > until) {
        this.#child?.kill('SIGKILL');
        throw new Error(`Kafka did not start: ${readFileSync(join(this.dataDir, 'kafka.log'), 'utf8').slice(-3000)}`);
      }
      await delay(50);
    }
  }

  /** Ends the process (SIGTERM: cleanly, SIGKILL: a crash), or stops and continues it (SIGSTOP, SIGCONT). Its data stay. */
  async kill(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    child.kill(signal);
    if (signal === 'SIGSTOP' || signal === 'SIGCONT') return;
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  }

  /** Starts again with the same port and data; ends the process first if it runs. */
  async restart(): Promise<void> {
    await this.kill('SIGTERM');
    await this.start();
  }

  /** Ends the process and deletes its data. */
  async stop(): Promise<void> {
    // Nobody needs the data: no reason to wait for a clean end.
    await this.kill(this.#options.keepData === true ? 'SIGTERM' : 'SIGKILL');
    await this.proxy?.close();
    process.off('exit', this.#atExit);
    if (this.#options.keepData !== true) await rm(this.dataDir, { recursive: true, force: true });
  }

  /** Runs one of Kafka's command line tools to its end, such as `org.apache.kafka.tools.TopicCommand`. Resolves to what it printed. */
  async tool(main: string, args: readonly string[], input?: string): Promise<string> {
    const options = ['-Dorg.slf4j.simpleLogger.defaultLogLevel=error', '-cp', `${this.#lib}/*`, main, ...args];
    const child = spawn('java', options, { stdio: 'pipe' });
    const printed: Buffer[] = [];
    const complaints: Buffer[] = [];
    child.stdout.on('data', (data: Buffer) => printed.push(data));
    child.stderr.on('data', (data: Buffer) => complaints.push(data));
    child.stdin.end(input ?? '');
    const [code] = await once(child, 'close');
    if (code !== 0) throw new Error(`${main} ended with ${code}: ${Buffer.concat([...printed, ...complaints])}`);
    return Buffer.concat(printed).toString();
  }
}

/** Ports that the broker listens on. */
interface Ports {
  readonly port: number;
  readonly controller: number;
  /** Where the proxy finds it. */
  readonly behind: number | undefined;
  readonly secured: number | undefined;
  readonly further: ReadonlyMap<string, number>;
}

interface Ways {
  readonly proxy: TcpProxy | undefined;
  readonly ca: string | undefined;
}

/**
 * Starts a Kafka broker (KRaft, one node) on free ports with an empty log.
 *
 * @throws PartMissing where Java or the jars are missing: `skipWithout` says so.
 */
export async function startKafka(options: KafkaOptions = {}): Promise<KafkaServer> {
  const server = await prepareKafka(options);
  try {
    await server.start();
  } catch (error) {
    await server.stop();
    throw error;
  }
  return server;
}

/** A broker with an empty log that is not started yet. */
export async function prepareKafka(options: KafkaOptions): Promise<KafkaServer> {
  const lib = kafkaJars();
  const dataDir = await mkdtemp(join(tmpdir(), 'weir-kafka-'));
  const ports: Ports = {
    port: await freePort(),
    controller: options.controller ?? (await freePort()),
    behind: options.throughProxy === true ? await freePort() : undefined,
    secured: options.secure === true ? await freePort() : undefined,
    further: await freePorts(Object.keys(options.listeners ?? {})),
  };
  const proxy = ports.behind === undefined ? undefined : new TcpProxy('127.0.0.1', ports.behind);
  await proxy?.listen();
  const security = options.secure === true ? kafkaSecurity(dataDir) : undefined;
  const own = serverProperties(ports, proxy?.port, options);
  const properties = { ...own, ...security?.properties, ...options.properties };
  const text = Object.entries(properties).map(([name, value]) => `${name}=${value}\n`);
  await writeFile(join(dataDir, 'server.properties'), text.join(''));
  const format = ['kafka.tools.StorageTool', 'format', '-t', 'abcdefghijklmnopqrstuv', '-c', 'server.properties'];
  const args = ['-cp', `${lib}/*`, ...format, ...(security?.format ?? [])];
  const formatted = spawnSync('java', args, { cwd: dataDir, encoding: 'utf8' });
  if (formatted.status !== 0 || !existsSync(join(dataDir, 'data'))) {
    throw new Error(`the log could not be formatted: ${formatted.stdout}${formatted.stderr}`);
  }
  return new KafkaServer(lib, dataDir, ports, { proxy, ca: security?.ca }, options);
}

async function freePorts(names: readonly string[]): Promise<ReadonlyMap<string, number>> {
  const ports = new Map<string, number>();
  for (const name of names) ports.set(name, await freePort());
  return ports;
}

function serverProperties(
  { port, controller, behind, secured, further }: Ports,
  proxy?: number,
  { listeners: protocols = {}, advertised: hosts = {} }: KafkaOptions = {},
): Record<string, string> {
  const listeners = [`PLAINTEXT://127.0.0.1:${port}`];
  const advertised = [...listeners];
  if (behind !== undefined) {
    listeners.push(`PROXIED://127.0.0.1:${behind}`);
    advertised.push(`PROXIED://127.0.0.1:${proxy}`);
  }
  if (secured !== undefined) {
    listeners.push(`SECURE://127.0.0.1:${secured}`);
    advertised.push(`SECURE://127.0.0.1:${secured}`);
  }
  for (const [name, own] of further) {
    listeners.push(`${name}://127.0.0.1:${own}`);
    advertised.push(`${name}://${hosts[name] ?? '127.0.0.1'}:${own}`);
  }
  const map = {
    PLAINTEXT: 'PLAINTEXT',
    CONTROLLER: 'PLAINTEXT',
    PROXIED: 'PLAINTEXT',
    SECURE: 'SASL_SSL',
    ...protocols,
  };
  return {
    'process.roles': 'broker,controller',
    'node.id': '1',
    'controller.quorum.voters': `1@127.0.0.1:${controller}`,
    listeners: [...listeners, `CONTROLLER://127.0.0.1:${controller}`].join(','),
    'advertised.listeners': advertised.join(','),
    'inter.broker.listener.name': 'PLAINTEXT',
    'controller.listener.names': 'CONTROLLER',
    'listener.security.protocol.map': Object.entries(map)
      .map((entry) => entry.join(':'))
      .join(','),
    'log.dirs': './data',
    'offsets.topic.replication.factor': '1',
    'offsets.topic.num.partitions': '5',
    'transaction.state.log.replication.factor': '1',
    'transaction.state.log.min.isr': '1',
    'transaction.state.log.num.partitions': '5',
    'group.initial.rebalance.delay.ms': '0',
    // A broker that was killed comes back when its old session is over.
    'broker.session.timeout.ms': '3000',
    'broker.heartbeat.interval.ms': '500',
    'num.partitions': '1',
    'auto.create.topics.enable': 'false',
  };
}

/** Whether a broker answers a metadata request and knows itself: Metadata v1 of no topic. */
async function answersMetadata(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    // size | api key 3 | version 1 | correlation id | client id 't' | topics: none
    socket.write(Buffer.from('0000000f' + '0003' + '0001' + '00000001' + '000174' + '00000000', 'hex'));
    const timeout = AbortSignal.timeout(1000);
    const [head] = (await once(socket, 'data', { signal: timeout })) as [Buffer];
    // size, correlation id, number of brokers
    return head.length >= 12 && head.readInt32BE(8) > 0;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
