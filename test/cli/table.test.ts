import test from 'ava';
import { displayWidth, formatTable } from '../../src/cli/table.ts';

test('numbers are aligned right and written as they are, text is aligned left', (t) => {
  const table = formatTable(
    ['key', 'n', 'final'],
    [
      ['C:8', 1_234_567, true],
      ['C:1001', 42, false],
    ],
  );
  t.is(table, 'key           n  final\nC:8     1234567  true\nC:1001       42  false\n');
});

test('a column can be told how to align', (t) => {
  t.is(formatTable([{ title: 'id', align: 'right' }], [['7'], ['12']]), 'id\n 7\n12\n');
});

test('accents and wide letters keep columns aligned', (t) => {
  const decomposed = 'Orle\u0301ans';
  t.is(
    formatTable(
      ['commune', 'n'],
      [
        ['Orléans', 1],
        [decomposed, 2],
        ['東京', 3],
      ],
    ),
    `commune  n\nOrléans  1\n${decomposed}  2\n東京     3\n`,
  );
  t.deepEqual(['', 'abc', 'é', 'e\u0301', '東', '👍🏽'].map(displayWidth), [0, 3, 1, 1, 2, 2]);
});

test('a table without rows has its titles', (t) => {
  t.is(formatTable(['key', 'n'], []), 'key  n\n');
});

test('missing cells are empty, and control characters do not reach the terminal', (t) => {
  t.is(formatTable(['a', 'b'], [[undefined, 'x\u001B[2J\n'], [null]]), 'a  b\n   x\\x1b[2J\\x0a\n\n');
});
