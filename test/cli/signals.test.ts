import type { ChildProcessByStdio } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { typescript } from '../helpers/typescript-child.ts';

const main = fileURLToPath(new URL('fixtures/main.ts', import.meta.url));

type Child = ChildProcessByStdio<null, Readable, Readable>;

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

async function startUntilRunning(command: string): Promise<{ child: Child; ended: Promise<Ended> }> {
  const child = spawn(process.execPath, [...typescript, main, ...command.split(' ')], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stderr.on('data', (data) => {
    stderr += String(data);
  });
  const running = new Promise<void>((resolve) => {
    child.stdout.on('data', (data) => {
      stdout += String(data);
      if (stdout.includes('running')) resolve();
    });
  });
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, stdout, stderr }));
  await Promise.race([running, ended]);
  return { child, ended };
}

async function signalled(command: string, ...signals: NodeJS.Signals[]): Promise<Ended> {
  const { child, ended } = await startUntilRunning(command);
  for (const [i, signal] of signals.entries()) {
    if (i > 0) await new Promise((resolve) => setTimeout(resolve, 100));
    child.kill(signal);
  }
  return ended;
}

test('a batch command stopped by SIGINT commits and exits 130', async (t) => {
  const { code, stdout } = await signalled('wait', 'SIGINT');
  t.is(code, 130);
  t.is(stdout, 'running\ncommitted\n');
});

test('a batch command stopped by SIGTERM commits, says so in the log and exits 143', async (t) => {
  const { code, stdout, stderr } = await signalled('wait --log-level info', 'SIGTERM');
  t.is(code, 143);
  t.is(stdout, 'running\ncommitted\n');
  t.regex(stderr, /"signal":"SIGTERM","msg":"stopping: a second signal ends at once"/);
});

test('a continuous command commits and exits 0 on its first signal', async (t) => {
  const { code, stdout } = await signalled('serve', 'SIGTERM');
  t.is(code, 0);
  t.is(stdout, 'running\ncommitted\n');
});

test('a command that rejects because it was aborted was stopped, not broken', async (t) => {
  const { code, stderr } = await signalled('abort', 'SIGINT');
  t.is(code, 130);
  t.notRegex(stderr, /INTERNAL/);
});

test('a second signal ends a command at once, with its own exit code', async (t) => {
  const { code, stdout } = await signalled('stuck', 'SIGINT', 'SIGTERM');
  t.is(code, 143);
  t.is(stdout, 'running\n');
});

test('a command that does not return is ended by its first signal, with the code of one that was stopped', async (t) => {
  const { code, stdout, stderr } = await signalled('stuck', 'SIGINT');
  t.is(code, 0);
  t.is(stdout, 'running\n');
  t.regex(stderr, /ended 4 s after the signal, in the middle of what it was waiting for/);
});

test('a reader that leaves ends the command quietly', async (t) => {
  const child = spawn(process.execPath, [...typescript, main, 'lines'], { stdio: ['ignore', 'pipe', 'pipe'] });
  let stderr = '';
  child.stderr.on('data', (data) => {
    stderr += String(data);
  });
  const closed = once(child, 'close');
  await once(child.stdout, 'data');
  child.stdout.destroy();
  const [code] = await closed;
  t.is(code, 0);
  t.is(stderr, '');
});

test('a command whose results nobody takes is ended by its first signal, and at once by its second', async (t) => {
  for (const [signals, code] of [
    [['SIGTERM'], 143],
    [['SIGTERM', 'SIGINT'], 130],
  ] as const) {
    const child = spawn(process.execPath, [...typescript, main, 'much'], { stdio: ['ignore', 'pipe', 'ignore'] });
    t.teardown(() => child.kill('SIGKILL'));
    // Some of it is read, and then no more.
    await once(child.stdout, 'readable');
    child.stdout.read(1);
    const ended = once(child, 'exit');
    for (const signal of signals) {
      await new Promise((resolve) => setTimeout(resolve, 200));
      child.kill(signal);
    }
    t.is((await ended)[0], code);
    child.stdout.destroy();
  }
});

test('a command that nobody listens to on stderr is ended by its first signal', async (t) => {
  const child = spawn(process.execPath, [...typescript, main, 'chatter'], { stdio: ['ignore', 'pipe', 'pipe'] });
  t.teardown(() => child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  t.is((await ended)[0], 0);
  child.stderr.destroy();
});
