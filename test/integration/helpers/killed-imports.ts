import { setTimeout as delay } from 'node:timers/promises';
import type { ExecutionContext } from 'ava';
import type { ImportWorld } from './import-world.ts';
import { WeirProcess } from './kafka-process.ts';
import { tryWeir } from './weir.ts';

/** What imports are killed over. */
export interface KilledImports {
  readonly world: ImportWorld;
  /** Words that say what is imported into. */
  readonly target: readonly string[];
  /** A text that tells the park that is in force. */
  readonly inForce: () => Promise<string>;
  /** That text for the golden park, and for the one in which meter 3 has always been at delivery point 11. */
  readonly golden: string;
  readonly other: string;
}

const times = 30;
/** Longest time between the first table that is read and the kill, ms. */
const longestMs = 500;

/** Imports one park and the other in turn, and kills each import at a random moment after it began to read: always one of both parks is in force, never a part of one. */
export async function killedImports(
  t: ExecutionContext,
  { world, target, inForce, golden, other }: KilledImports,
): Promise<void> {
  const seed = Number(process.env['KILL_SEED'] ?? Date.now() % 1_000_000);
  t.log(`seed ${seed} (KILL_SEED)`);
  let state = seed;
  const random = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  const importing = ['park', 'import', ...world.from, ...target];
  let killed = 0;
  let before = await inForce();
  t.is(before, golden);
  for (let i = 1; i <= times; i++) {
    const point = i % 2 === 1 ? 11 : 3;
    const wanted = point === 11 ? other : golden;
    world.server.run(`update installation_c set id_pdc = ${point} where id_compteur = 3`, 'reseaux');
    const child = new WeirProcess([...importing, '--log-level', 'info']);
    while (child.running && !child.stderr.includes('read a table')) await delay(1);
    await delay(random() * longestMs);
    if (child.running) {
      killed++;
      await child.signal('SIGKILL');
    } else t.is(await child.ended(), 0, child.stderr);
    const after = await inForce();
    t.true([before, wanted].includes(after), `after kill ${i} one of both parks is in force`);
    before = after;
    if (i % 5 > 0) continue;
    const { code, stderr } = await tryWeir(importing);
    t.is(code, 0, stderr);
    before = await inForce();
    t.is(before, wanted, `after kill ${i} the next import leads where an undisturbed one leads`);
  }
  t.log(`${killed} of ${times} imports were under way when they were killed`);
  t.true(killed > times / 3, 'imports were under way');
}
