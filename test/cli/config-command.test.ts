import test from 'ava';
import { configCommand } from '../../src/cli/config-command.ts';
import { run } from './fixtures/run.ts';

test('config print shows each setting with its origin, and hides secrets', async (t) => {
  const env = { WEIR_COMMIT_INTERVAL_MS: '20', WEIR_SASL_PASSWORD: 'hush' };
  const { stdout } = await run([configCommand('grid')], 'config print --set state.dir=s', { env });
  t.regex(stdout, /^commit\.interval\.ms +20 +environment variable WEIR_COMMIT_INTERVAL_MS$/m);
  t.regex(stdout, /^state\.dir +s +--set$/m);
  t.regex(stdout, /^metadata\.max\.age\.ms +300000 +default$/m);
  t.regex(stdout, /^sasl\.password +\(hidden\) +environment/m);
  t.false(stdout.includes('hush'));
});

test('config print --json is an array of objects', async (t) => {
  const { stdout } = await run([configCommand('grid')], 'config print --json');
  const rows = JSON.parse(stdout) as { name: string }[];
  t.deepEqual(
    rows.find(({ name }) => name === 'max.task.idle.ms'),
    { name: 'max.task.idle.ms', value: '0', origin: 'default' },
  );
});
