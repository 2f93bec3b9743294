import test from 'ava';
import { Xxh64 } from '../../src/common/xxh64.ts';
import { FolderWorld, range, readings } from './helpers/folder-world.ts';

// Made by zstd 1.5 (-19) of rows 1 to 400 with 400 letters x each: two blocks, and a checksum.
const packed: Buffer = Buffer.from(
  'KLUv/aRDfgIAVBUAFixQFLCl0GIAWYAED1OAEIns3mNmgq4ETgBTAEYAJVU5VV6lFDmIFEQGIo9II7KIJCKHyIkUGseMYsYw481oM9aMNOPM+I' +
    'wyO17xhvdee+uld95l5eEQimA4z7SySBoHoMAdYFAwMHAQoABBQhiE8ITQhLCEkIRwhHAhFBEcIShCMITghaCFYIUgheCE4CEo4Rx3ijvDnXen' +
    '3Vl30p1z53fKmcNMYWYw88w0M8tMMnPM3EyxclQpqgxVXpVWZVWvzVvz0rwz7/PKvOMVb3jvtbdeeud9ZdkhywpZNsiyJ8uaLFuyLMmyI8suy4' +
    'o8HGMoxjCM4Y2hjWGNIY3hjOFjKEM4hFAEK/cOe4W9wd6z1+wte8nesXd7xd5Rr6g31Hv1Wr1VL9U79V6v1DvoFfQGeo9eo7foJXqH3ukVese8' +
    'Yt4w702AoKQRWKjavQMg45Go4gMskXkfR959NrLu05Fzn46M+zjy7fORbZ+OXPt0ZNrHkWefjyz7dOTYpyPDPo78+nxk16cjtz4dmfVx5NXnI6' +
    's+HTn16ciojyOfPh/Z9OnIpU9HJn0cefT5yKJPRw59OjLo48ifz0f2fDpy59OROR9H3nw+subTkTOfjoz5OPLl85Etn45c+XRkysfIk8+SJZ9K' +
    'jnwiGfIh+fG5ZMcnkhufJDM+SPLi88mKTzCy/03I/Vch81+FvH8Vsv5VyPlXIeNfhXx/FbL9Vcj1BwkkyCCBBAlSSJBACgkySCFBghQSJJBCgg' +
    'xSSJAghQQJpJAggxQSJEghQQIpJMgghQQJUkiQQAoJMkghQYIUEiSQQoIMUkiQIIUECaSQIIMUEiRIIUECKSTIIIUECVJIQKbfIM/vkOU35PgN' +
    'MvwO+X1Ddt8gt++GzL4PUvM/gkd4BI/gETyCR/eIecQoqmwSAFayUQuwNwdE3Y0kZiWZB1QARABLAPKKPMfYrLFJY1OMzTA2wdicsfnY3NiUsT' +
    'lqs2qTalPUZqhNUJtTm9fmalNqc9Bm0SbRpqDNQJuANoc2p83RptDmEJslNklsCrEZxCYQmyM2F5sTCw68At4xb81L84p5w7xg3pn3eTevzDt+' +
    '65d+xW/4Bb/z++9+5Xfsrb20V+wNe8He2fve7ZW9Q96Sl+QV8gZ5gbwj7/Iu7+qVege9RS/RK+gN9AJ6h97pHb1C7xBviZfEK8QbxAvEO+JdvB' +
    'OviHeEt8JL4RXhDeEF4Z3wHt6FV8I7wFvgJfAK8AbwAvAOeAcf455RnnFsxtqMtBnFZgybEWzG2Yxvxm1G2YxDZiyZkWRGITMGmRHIjCMzLjNO' +
    'ZhSZHeOt8dJ4xXjDeMF4Z7yPd+OV8Y56q16qV9Qb6gX1Tr1XgKFkBZDz3wMshZGRIyNHRkaOjBwZGTkycmRk5MjIkZGRIyNHRkaOjBwZGTkycm' +
    'Rk5MjIkZGRIyNHRkaOjBwZGTkycmRk5MjIkZGRIyNHRkaOjBwZGTkycmRk5MjIkZGRIyNHRkaOjBwZGTkycmRk5MjIkZGRIyNHRkaOjBwZGTky' +
    'cmRk5MjIkZFHHn+KLP4UOfwpMvhT5O+nyN5PkbufInM/Rd5+iqz9FDn7KTL2U+Trp8jWT5GrnyJTP0Wefoos/RQ5+iky9FPk56fIzk+Rm58iMz' +
    '9FXn6KrPwUOfkpMvJT5OOnyMZPkYufIhM/RR5+iiz8FDn4KTLwU+Tfp8i+T5F7nxQlCADG2CcOwLVy/787EREhqbH+dyMgACMAIwCBOEDceeaV' +
    'R9544n3CCx7wjnBGuCIcEW4IJ4QrnCAcAuQAcmecGVfGkXFjnBh3nDAuGAeMO+KMuCKOiBvihLjiBHEBB5g75Uy5Uo6UG+VEueWEckE5oNwhZ8' +
    'gVcoTcICfIJSeQCwIiABA758y5co6cG+fEueeEc8E54NwxZ8wVc8TcMCfMNSeYC0xQmBAQwR8AEvgGgf//vz+RkZGRkZGRkZGRkZGRkZGRIyMj' +
    'IyMjIyMjIyMjIyMjI0dGRkZGRkaKjIyMjIyMjIwcGRkZGRkZGRkZGRkZGRkZOTIyMjIyMjIyMjIyMlJkJNEBIN+YX3k=',
  'base64',
);
const content = `id,at,text\n${range(1, 400)
  .map((id) => `${id},${id},${'x'.repeat(400)}\n`)
  .join('')}`;
const named = (file: string, ids: readonly number[]): string[] => ids.map((id) => `${file}:${id + 1}:${id}`);
/** Frames to skip: their bytes are nobody's. */
const skipped = Buffer.concat([Buffer.from([0x5a, 0x2a, 0x4d, 0x18, 3, 0, 0, 0]), Buffer.from('abc')]);

/** A frame of one raw block, without a checksum. */
function rawFrame(text: string): Buffer {
  const bytes = Buffer.from(text);
  const head = Buffer.alloc(12);
  head.writeUInt32LE(0xfd2fb528, 0);
  head[4] = 0xa0; // A single segment, its size in four bytes.
  head.writeUInt32LE(bytes.length, 5);
  head.writeUIntLE((bytes.length << 3) | 1, 9, 3);
  return Buffer.concat([head, bytes]);
}

test('XXH64 is that of its authors', (t) => {
  const hashes = {
    '': 'ef46db3751d8e999',
    a: 'd24ec4f1a98c6e5b',
    abc: '44bc2cf5ad770999',
    'Nobody inspects the spammish repetition': 'fbcea83c8a378bf1',
  };
  for (const [text, hash] of Object.entries(hashes))
    for (const step of [1, 5, 100]) {
      const hashing = new Xxh64();
      for (let at = 0; at < text.length; at += step) hashing.update(Buffer.from(text.slice(at, at + step)));
      t.is(hashing.digest().toString(16), hash);
    }
});

test('a zstd file is read as what it holds, of one frame or several, and again from any commit', async (t) => {
  const world = await FolderWorld.create(t);
  world.write('a.csv.zst', packed);
  world.write(
    'b.CSV.ZST',
    Buffer.concat([skipped, rawFrame('id,at,text\n901,901'), skipped, rawFrame(',x\n902,902,y\n')]),
  );
  world.write('c.csv.zst', Buffer.alloc(0));
  const chunks = { chunkBytes: 10_000, batchRows: 50 };
  const expected = [...named('a.csv', range(1, 400)), 'b.CSV:2:901', 'b.CSV:3:902'];
  const before = await world.run({ ...chunks, commitAt: 137, killAt: 300 });
  t.deepEqual([...before.records.slice(0, 137), ...(await world.run(chunks)).records], expected);
  t.deepEqual((await world.run(chunks)).records, []);
  // Packed in another way, or not at all, it is the same file.
  world.remove('a.csv.zst');
  world.write('a.csv', content);
  t.deepEqual((await world.run(chunks)).records, []);
  world.remove('a.csv');
  world.write('d.csv.zst', packed);
  const renamed = await world.run();
  t.deepEqual(renamed.records, []);
  t.regex(renamed.logged.join(), /d\.csv has the rows that were read as a\.csv/);
});

test('a zstd file that is cut is an error behind its whole rows, wherever it is cut; it goes on with its rest', async (t) => {
  for (const length of [3, 5, 11, 300, packed.length - 5, packed.length - 1]) {
    const world = await FolderWorld.create(t);
    world.write('a.csv.zst', packed.subarray(0, length));
    world.write('b.csv', readings(500));
    const first = await t.throwsAsync(
      world.run(),
      { code: 'STREAMS_FILE', message: /a\.csv\.zst of topic readings is cut: it ends inside its compressed data/ },
      String(length),
    );
    t.truthy(first);
    world.write('a.csv.zst', packed);
    t.deepEqual((await world.run()).records, [...named('a.csv', range(1, 400)), 'b.csv:2:500']);
  }
});

test('who follows gets what is whole of a zstd file that is cut, and its rest when it is there', async (t) => {
  const world = await FolderWorld.create(t);
  const two = [rawFrame(readings(1)), rawFrame('2,2,text\n')] as const;
  world.write('a.csv.zst', Buffer.concat([two[0], two[1].subarray(0, 15)]));
  t.deepEqual((await world.run({ follow: true })).records, ['a.csv:2:1']);
  world.write('a.csv.zst', Buffer.concat([...two, rawFrame('3,3,text\n')]));
  t.deepEqual((await world.run({ follow: true })).records, ['a.csv:3:2', 'a.csv:4:3']);
});

test('text under the name of a zstd file is told as such', async (t) => {
  const world = await FolderWorld.create(t);
  world.write('a.csv.zst', readings(1));
  const message = /a\.csv\.zst is not a zstd file: it begins with text\. Give it a name without \.zst/;
  await t.throwsAsync(world.run(), { code: 'STREAMS_FILE', message });
});

test('a damaged zstd file is refused by name, and so is one that needs a dictionary or too much memory', async (t) => {
  const flipped = Buffer.from(packed);
  // The checksum tells, whatever the damaged byte has become.
  flipped[packed.length - 1]! ^= 1;
  const dictionary = Buffer.from(packed);
  dictionary[4]! |= 1;
  const wide = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x98, 1, 0, 0]);
  const damages = {
    checksum: [flipped, /the checksum of a frame does not match/],
    other: [Buffer.from([1, 2, 3, 4, 5, 6]), /does not begin as one of zstd/],
    dictionary: [dictionary, /needs a dictionary/],
    wide: [wide, /needs 512 MiB of memory, and 128 are given/],
  } as const;
  for (const [name, [bytes, problem]] of Object.entries(damages)) {
    const world = await FolderWorld.create(t);
    world.write('a.csv.zst', bytes);
    const error = await t.throwsAsync(world.run(), { code: 'STREAMS_FILE' }, name);
    t.regex(error!.message, /a\.csv\.zst is not a valid zstd file after byte \d+/);
    t.regex(error!.message, problem, name);
  }
  const world = await FolderWorld.create(t);
  world.write('a.csv', packed);
  t.regex((await world.run()).progress.refused!['a.csv']!, /compressed with zstd: give it a name that ends with \.zst/);
});
