import test from 'ava';
import fc from 'fast-check';
import { didYouMean, editDistance, nearestName } from '../../src/config/nearest.ts';

test('edits are insertions, deletions, substitutions and swaps', (t) => {
  t.is(editDistance('', 'abc'), 3);
  t.is(editDistance('kitten', 'sitting'), 3);
  t.is(editDistance('commit', 'comimt'), 1);
  t.is(editDistance('events', 'evnets'), 1);
});

test('the distance is 0 for equals, the same both ways, and at most the longer length', (t) => {
  const word = fc.string({ maxLength: 8, unit: fc.constantFrom('a', 'b', 'c') });
  fc.assert(
    fc.property(word, word, (a, b) => {
      const distance = editDistance(a, b);
      return (
        distance === editDistance(b, a) && (distance === 0) === (a === b) && distance <= Math.max(a.length, b.length)
      );
    }),
  );
  t.pass();
});

test('the nearest name has the fewest edits, the first of equals; case and punctuation do not count', (t) => {
  const known = ['max.future.ms', 'commit.interval.ms', 'commit.interval.records'];
  t.is(nearestName('commit.interval', known), 'commit.interval.ms');
  t.is(nearestName('commitIntervalRecords', known), 'commit.interval.records');
  t.is(nearestName('abc', ['abx', 'xbc']), 'abx');
  t.is(nearestName('x', []), undefined);
});

test('a name is near up to a third of its letters', (t) => {
  t.is(nearestName('--application-id', ['--topic', '--group']), undefined);
  t.is(nearestName('exprot', ['export', 'digest']), 'export');
  t.is(nearestName('abcdef', ['abcdxy']), 'abcdxy');
  t.is(nearestName('abcdef', ['abcxyz']), undefined);
  t.is(didYouMean('exprot', ['export']), ' Did you mean export?');
  t.is(didYouMean('frobnicate', ['export']), '');
});
