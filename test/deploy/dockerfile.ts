import { fileOf } from './compose-file.ts';

/** One instruction, its continued lines joined. */
export interface Instruction {
  readonly name: string;
  readonly text: string;
}

/** A stage of a build. */
export interface Stage {
  readonly base: string;
  readonly name: string | undefined;
  readonly instructions: readonly Instruction[];
}

/** The stages of the Dockerfile. */
export function readStages(): readonly Stage[] {
  const stages: { base: string; name: string | undefined; instructions: Instruction[] }[] = [];
  const lines = fileOf('Dockerfile')
    .replaceAll(/^#.*\n/gm, '')
    .replaceAll(/\\\n\s*/g, '')
    .split('\n');
  for (const line of lines) {
    if (line === '') continue;
    const [, name, text] = /^([A-Z]+) (.*)$/.exec(line)!;
    const from = /^(\S+)(?: AS (\S+))?$/.exec(text!);
    if (name === 'FROM') stages.push({ base: from![1]!, name: from![2], instructions: [] });
    else stages.at(-1)!.instructions.push({ name: name!, text: text! });
  }
  return stages;
}

/** The texts of one instruction in a stage. */
export function textsOf(stage: Stage, name: string): readonly string[] {
  return stage.instructions.filter((each) => each.name === name).map(({ text }) => text);
}

/** A list in JSON, as in `ENTRYPOINT ["node", "main.js"]`. */
export function wordsOf(text: string): readonly string[] {
  return JSON.parse(text) as string[];
}

/** The variables that a stage sets. */
export function environmentOf(stage: Stage): Readonly<Record<string, string>> {
  const pairs = textsOf(stage, 'ENV').flatMap((text) => text.split(' '));
  return Object.fromEntries(pairs.map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]));
}
