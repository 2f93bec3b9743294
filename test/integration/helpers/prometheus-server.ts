import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parse, stringify } from 'yaml';
import { freePort, PartMissing } from '../../helpers/parts.ts';

const folder = new URL('../../../grafana/prometheus/', import.meta.url);

/** A series of a result, and its value now. */
export interface Sample {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: number;
}

/** A series and its samples, oldest first. */
export interface ScrapedSeries {
  readonly metric: Sample['metric'];
  readonly samples: readonly { readonly atMs: number; readonly value: number }[];
}

interface Answer {
  readonly status: string;
  readonly error?: string;
  readonly data: unknown;
}

/** A real Prometheus, a child process on loopback, that scrapes as `grafana/prometheus/prometheus.yml` says, each second. */
export class PrometheusServer {
  readonly url: string;
  readonly #child: ChildProcess;
  readonly #folder: string;

  private constructor(url: string, child: ChildProcess, dataFolder: string) {
    this.url = url;
    this.#child = child;
    this.#folder = dataFolder;
  }

  /**
   * Starts it with the flags that docker-compose.yml gives it, on a port of its own.
   *
   * @param flags - `--config.file` and `--storage.tsdb.path` lead elsewhere here.
   * @param targets - Each `host:port` that the job `weir` scrapes, in place of the names of containers.
   * @throws PartMissing if Prometheus is not installed.
   */
  static async start(flags: readonly string[], ...targets: readonly string[]): Promise<PrometheusServer> {
    if (spawnSync('prometheus', ['--version']).status !== 0) {
      throw new PartMissing('prometheus is not installed: apt-get install prometheus.');
    }
    const own = await mkdtemp(join(tmpdir(), 'weir-prometheus-'));
    await writeFile(join(own, 'prometheus.yml'), configFor(targets));
    copyFileSync(new URL('rules.yml', folder), join(own, 'rules.yml'));
    const port = await freePort();
    const places: Readonly<Record<string, string>> = {
      '--config.file': join(own, 'prometheus.yml'),
      '--storage.tsdb.path': join(own, 'tsdb'),
    };
    const args = flags.map((flag) => {
      const name = flag.split('=')[0]!;
      return places[name] === undefined ? flag : `${name}=${places[name]}`;
    });
    args.push(`--web.listen-address=127.0.0.1:${port}`, '--log.level=error');
    const server = new PrometheusServer(
      `http://127.0.0.1:${port}`,
      spawn('prometheus', args, { stdio: 'ignore' }),
      own,
    );
    await server.#untilReady();
    return server;
  }

  /** The series that an expression has now. @throws if Prometheus does not understand it. */
  async query(expression: string): Promise<readonly Sample[]> {
    const { result } = (await this.ask(`query?query=${encodeURIComponent(expression)}`)) as {
      readonly result: readonly { readonly metric: Sample['metric']; readonly value: readonly [number, string] }[];
    };
    return result.map(({ metric, value }) => ({ metric, value: Number(value[1]) }));
  }

  /** What it has scraped of series in the last minutes, as it was scraped. */
  async scraped(selector: string, minutes = 30): Promise<readonly ScrapedSeries[]> {
    const { result } = (await this.ask(`query?query=${encodeURIComponent(`${selector}[${minutes}m]`)}`)) as {
      readonly result: readonly {
        readonly metric: Sample['metric'];
        readonly values: readonly (readonly [number, string])[];
      }[];
    };
    return result.map(({ metric, values }) => ({
      metric,
      samples: values.map(([seconds, value]) => ({ atMs: seconds * 1000, value: Number(value) })),
    }));
  }

  /**
   * The values that a variable of a dashboard offers.
   *
   * @param definition - `label_values(streams_tasks{job="$job"}, kind)`.
   * @param chosen - Values of the variables that it names.
   */
  async offered(definition: string, chosen: Readonly<Record<string, string>>): Promise<unknown> {
    const [, selector, label] = /^label_values\((.*), (\w+)\)$/.exec(definition)!;
    const sent = selector!.replaceAll(/\$(\w+)/g, (_, name: string) => chosen[name]!);
    return this.ask(`label/${label}/values?match[]=${encodeURIComponent(sent)}`);
  }

  /** Asks its API, such as `rules`. @throws if the answer is an error. */
  async ask(path: string): Promise<unknown> {
    const response = await fetch(`${this.url}/api/v1/${path}`);
    const { status, error, data } = (await response.json()) as Answer;
    if (status !== 'success') throw new Error(`${decodeURIComponent(path)}: ${error}`);
    return data;
  }

  /** Ends the process and deletes its data. */
  async stop(): Promise<void> {
    this.#child.kill('SIGTERM');
    if (this.#child.exitCode === null) await once(this.#child, 'exit');
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #untilReady(): Promise<void> {
    for (const end = Date.now() + 30_000; Date.now() < end; await delay(100)) {
      const answer = await fetch(`${this.url}/-/ready`).catch(() => undefined);
      if (answer?.status === 200) return;
      if (this.#child.exitCode !== null) break;
    }
    await this.stop();
    throw new Error('Prometheus did not start');
  }
}

/** The configuration of the deployment, but for whom the job `weir` asks, and how often. */
function configFor(targets: readonly string[]): string {
  const config = parse(readFileSync(new URL('prometheus.yml', folder), 'utf8')) as {
    global: object;
    scrape_configs: { readonly job_name: string }[];
  };
  config.global = { scrape_interval: '1s', scrape_timeout: '1s', evaluation_interval: '1s' };
  config.scrape_configs = config.scrape_configs.map((job) =>
    job.job_name === 'weir' ? { job_name: 'weir', static_configs: [{ targets }] } : job,
  );
  return stringify(config);
}
