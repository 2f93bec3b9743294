import test from 'ava';
import { LetterSamples } from '../../src/runtime/letter-sample.ts';

const about = { reason: 'date', message: 'not a date', topic: 'events', offset: 0 };

test('samples of each kind are kept, the oldest go first, and a flood of one kind drives out none of the other', (t) => {
  const samples = new LetterSamples();
  samples.add({ ...about, kind: 'late' }, Buffer.from('late'));
  for (let offset = 0; offset < 10_000; offset++) samples.add({ ...about, kind: 'dead', offset }, undefined);
  const all = samples.all();
  t.is(all.filter(({ kind }) => kind === 'late').length, 1);
  const dead = all.filter(({ kind }) => kind === 'dead');
  t.is(dead.length, 25);
  t.true(dead.every(({ text }) => text === null));
});

test('a long record is cut off, and its length is said; bytes that are no text do no harm', (t) => {
  const samples = new LetterSamples();
  samples.add({ ...about, kind: 'dead' }, Buffer.from('x'.repeat(5000)));
  samples.add({ ...about, kind: 'dead' }, Uint8Array.of(0x61, 0xff));
  t.deepEqual(
    samples.all().map(({ text }) => text),
    [`${'x'.repeat(1000)}… (5000 bytes)`, 'a\u{FFFD}'],
  );
});
