import { setTimeout as delay } from 'node:timers/promises';
import test from 'ava';
import { runCommand } from '../../src/cli/run-command.ts';
import { untilCaughtUp } from '../../src/cli/until-caught-up.ts';
import { ApplicationProgress } from '../../src/runtime/kafka/application-progress.ts';
import { CountsWorld, countsSpec, countsTopology } from './fixtures/counted.ts';

test('an instance has not caught up before its own tasks are restored, though the group has processed everything', async (t) => {
  const world = new CountsWorld(t);
  await world.ranOnce('a', ['ant', 1000], ['bee', 2000]);
  const progress = new ApplicationProgress(world.client().admin, countsTopology(['words'], 'names'), 'counts');
  await progress.untilCaughtUp(async () => t.fail('the group has processed everything'));
  let state: 'REBALANCING' | 'RUNNING' = 'REBALANCING';
  const outcome = { done: false };
  const waiting = untilCaughtUp(progress, () => state, new Promise(() => {})).then(() => {
    outcome.done = true;
  });
  await delay(250);
  t.false(outcome.done);
  state = 'RUNNING';
  await waiting;
});

test('what is stopped is waited for no longer', async (t) => {
  const world = new CountsWorld(t);
  await world.ranOnce('a', ['ant', 1000]);
  const progress = new ApplicationProgress(world.client().admin, countsTopology(['words'], 'names'), 'counts');
  await t.notThrowsAsync(untilCaughtUp(progress, () => 'REBALANCING', Promise.resolve()));
});

test('run ends as a batch command where it is to end by itself: a signal that comes first is told by the exit code', (t) => {
  const { kind, kindFor } = runCommand(countsSpec);
  const options = (untilCaughtUp: boolean): Readonly<Record<string, never>> => ({ untilCaughtUp }) as never;
  t.is(kindFor?.(options(true)) ?? kind, 'batch');
  t.is(kindFor?.(options(false)) ?? kind, 'continuous');
});
