import test from 'ava';
import { shown, shownNames } from '../../src/files/header-text.ts';

test('characters that nobody sees stand as numbers that can be copied, with their names behind the text', (t) => {
  t.is(shown('\t'), '"\\u0009" (tab)');
  t.is(shown('\0'), '"\\u0000" (NUL)');
  t.is(shown(' '), '"\\u0020" (space)');
  t.is(shown(';'), '";"');
  t.is(shown(''), '""');
  t.is(shown('\ufeffmeter at'), '"\\ufeffmeter at" (\\ufeff: byte order mark)');
  t.is(shown('a\tb\u00a0c\td'), '"a\\u0009b\\u00a0c\\u0009d" (\\u0009: tab, \\u00a0: no-break space)');
  t.is(shown('kWh '), '"kWh\\u0020"');
  t.is(shownNames(['a', 'b\u202f']), '"a", "b\\u202f" (\\u202f: narrow no-break space)');
});
