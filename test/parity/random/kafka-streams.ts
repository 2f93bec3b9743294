import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface, type Interface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { buildTopology } from './build.ts';
import type { Mode, Outcome, RandomCase } from './description.ts';
import type { Without } from './explained.ts';
import { ranksOf } from './ranks.ts';

const java = fileURLToPath(new URL('../java/', import.meta.url));

/** Kafka Streams in a process of its own, which takes one case after the other. `../java/run.sh` compiles it. */
export class KafkaStreamsProcess {
  readonly #process: ChildProcess;
  readonly #lines: Interface;
  readonly #waiting: ((line: string) => void)[] = [];

  constructor() {
    const classes = `${java}target/classes:${java}target/lib/*`;
    const flags = ['-Xmx768m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-cp', classes];
    this.#process = spawn('java', [...flags, 'weir.parity.random.RandomMain'], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#lines = createInterface({ input: this.#process.stdout! });
    this.#lines.on('line', (line) => this.#waiting.shift()!(line));
    this.#lines.on('close', () => {
      for (const answer of this.#waiting.splice(0)) answer('{"ended":true}');
    });
  }

  async run(given: RandomCase, without: Without = {}): Promise<Readonly<Record<Mode, Outcome>>> {
    const { topology } = buildTopology(given.nodes);
    const line = JSON.stringify({ ...given, without, ranks: ranksOf(topology) });
    const answer = await new Promise<string>((resolve) => {
      this.#waiting.push(resolve);
      this.#process.stdin!.write(`${line}\n`);
    });
    const parsed = JSON.parse(answer) as Record<Mode, Outcome> & { ended?: true };
    if (parsed.ended) throw new Error('the Java process has ended');
    return parsed;
  }

  async close(): Promise<void> {
    const ended = new Promise((resolve) => this.#process.once('exit', resolve));
    this.#process.stdin!.end();
    await ended;
  }
}
