import { messageOf, StreamsError } from '../common/errors.ts';
import type { KafkaInstanceStats, KafkaTaskStats } from '../runtime/kafka/kafka-stats.ts';
import type { LetterSample } from '../runtime/letter-sample.ts';
import { askRemote } from './remote-answer.ts';
import type { ServedEngine } from './served-engine.ts';

/** How long another instance may keep its figures, ms: those who look at them wait no longer. */
const timeoutMs = 2000;

/** What is read of the answer of `/tasks` of an instance. */
export interface TasksAnswer {
  readonly applicationId: string;
  readonly state: string;
  readonly tasks: readonly {
    readonly taskId: string;
    readonly topics: readonly string[];
    readonly partition: number;
    readonly processed: number;
    readonly streamTimeMs: number | null;
    readonly dropped: Readonly<Record<string, number>>;
  }[];
  readonly kafka: {
    readonly deadLetters: Readonly<Record<string, number>>;
    readonly lateLetters: number;
    readonly instances: readonly KafkaInstanceStats[];
    readonly inputs: readonly { readonly taskId: string; readonly lag: number | null }[];
    /** Absent: it is an older version. */
    readonly tasks?: readonly Pick<KafkaTaskStats, 'taskId' | 'kind' | 'status' | 'restore'>[];
  };
}

/** What is read of the answer of `/letters`. */
interface LettersAnswer {
  /** Absent: it is an older version. */
  readonly applicationId?: string;
  readonly letters: readonly LetterSample[];
}

/** A letter, and at which instance it was met. */
export type LetterOfInstance = LetterSample & { readonly instance?: string };

/** What an instance has answered, or why there is no answer. */
export type InstanceAnswer<T> = { readonly answer: T } | { readonly problem: string };

/** The instances of an application on Kafka but this one, as the group knows them: what they say of themselves. */
export class OtherInstances {
  readonly #engine: ServedEngine;
  readonly #token: string | undefined;

  /** @param token - What they ask for. */
  constructor(engine: ServedEngine, token?: string) {
    this.#engine = engine;
    this.#token = token;
  }

  /** Figures of the instance at an address. */
  figures(endpoint: string): Promise<InstanceAnswer<TasksAnswer>> {
    const own = this.#engine.stats().applicationId;
    const isOurs = ({ applicationId, kafka }: Partial<TasksAnswer>): boolean =>
      applicationId === own && kafka !== undefined;
    return this.#ask(endpoint, '/tasks', isOurs);
  }

  /** Letters that they have met, but those that this instance knows of too; and who does not answer. */
  async letters(kind: string | undefined): Promise<{
    readonly letters: readonly LetterOfInstance[];
    readonly problems: readonly { readonly instance: string; readonly problem: string }[];
  }> {
    const letters: LetterOfInstance[] = [];
    const problems: { readonly instance: string; readonly problem: string }[] = [];
    const { instances, letters: own = [] } = this.#engine.kafka?.() ?? { instances: [] };
    const known = new Set(own.map(placeOf));
    const path = kind === undefined ? '/letters' : `/letters?kind=${kind}`;
    const asked = instances.filter((each) => !each.own).map(({ endpoint }) => endpoint);
    const ownId = this.#engine.stats().applicationId;
    const isOurs = ({ applicationId = ownId, letters: found }: Partial<LettersAnswer>): boolean =>
      applicationId === ownId && Array.isArray(found);
    const answers = await Promise.all(asked.map((each) => this.#ask<LettersAnswer>(each, path, isOurs)));
    answers.forEach((found, i) => {
      const instance = asked[i]!;
      if ('problem' in found) problems.push({ instance, problem: found.problem });
      // Those of a thread are among those of its process.
      else
        for (const letter of found.answer.letters)
          if (!known.has(placeOf(letter))) letters.push({ ...letter, instance });
    });
    return { letters, problems };
  }

  /** @param isOurs - Whether an answer is one of an instance: one that is gone may have left its address to another program. */
  async #ask<T>(endpoint: string, path: string, isOurs: (answer: Partial<T>) => boolean): Promise<InstanceAnswer<T>> {
    if (endpoint === '') return { problem: 'it has no address at which it could be asked.' };
    // It is what the instance says of itself, or its program does.
    if (!URL.canParse(`http://${endpoint}`))
      return { problem: `${endpoint}, its application.server, is no address: give it host:port.` };
    try {
      const options = { timeoutMs, token: this.#token };
      const { body } = await askRemote(new URL(path, `http://${endpoint}`), 'application/json', options);
      const answer = (await body.json()) as Partial<T>;
      return isOurs(answer) ? { answer: answer as T } : { problem: 'another program answers at its address.' };
    } catch (error) {
      if (!StreamsError.is(error)) throw error;
      return { problem: messageOf(error) };
    }
  }
}

/** The newest first. */
export function newestFirst<Letter extends LetterSample>(letters: readonly Letter[]): readonly Letter[] {
  return [...letters].sort((a, b) => b.atMs - a.atMs);
}

function placeOf({ kind, topic, partition, offset, file, line }: LetterSample): string {
  return [kind, topic, partition, offset, file, line].join();
}
