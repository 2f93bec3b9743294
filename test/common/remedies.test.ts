import test from 'ava';
import { acceptLossOption, forCommands, formatOption, rebuildOption, stateOption } from '../../src/common/remedies.ts';

test('a message names options as they are typed and as a program says them; commands leave out the latter', (t) => {
  const message = `Give another with ${stateOption}, or say in the format (${formatOption}) what it is; ${rebuildOption(['a', 'b'], 'rebuildStores')} and ${acceptLossOption}.`;
  t.is(
    message,
    "Give another with --state (in a program: stateDir), or say in the format (--format, in a program: csvFormat) what it is; --rebuild a --rebuild b (in a program: rebuildStores with stores: ['a', 'b']) and --accept-loss (in a program: acceptLoss: true).",
  );
  t.is(
    forCommands(message),
    'Give another with --state, or say in the format (--format) what it is; --rebuild a --rebuild b and --accept-loss.',
  );
});

test('what is said of programs without such words stays', (t) => {
  for (const message of ['the program has no store a', 'call it (in a program) with one', 'a, in a program: b'])
    t.is(forCommands(message), message);
});
