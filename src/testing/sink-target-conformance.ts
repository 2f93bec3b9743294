import { concatBytes, equalBytes } from '../common/bytes.ts';
import { StreamsError } from '../common/errors.ts';
import type { PendingFile, SinkTarget, TargetFile } from '../sink/target.ts';
import type { ConformanceCase } from './database-conformance.ts';

/** What the suite needs of an adapter. */
export interface SinkTargetUnderTest {
  /** A target over a place that is empty. */
  fresh(): Promise<SinkTarget>;
  /** Another target over the same place, as a further process has it. */
  again(): Promise<SinkTarget>;
}

interface Rule {
  readonly title: string;
  run(subject: SinkTargetUnderTest): Promise<void>;
}

/**
 * The conformance suite of {@link SinkTarget}: every adapter passes it.
 *
 * @param subject - Makes what a case works with; called once for each case.
 */
export function sinkTargetConformance(subject: () => Promise<SinkTargetUnderTest>): readonly ConformanceCase[] {
  return rules.map(({ title, run }) => ({ title, run: async () => run(await subject()) }));
}

const text = (value: string): Uint8Array => new TextEncoder().encode(value);

const rules: readonly Rule[] = [
  {
    title: 'a file is seen when it is committed, not before, and then whole',
    async run({ fresh }) {
      const target = await fresh();
      const file = await target.open('t-0');
      await file.append(text('a,b\n'));
      await expectList(target, '', []);
      await file.append(text('1,2\n'));
      await file.seal('20180101/e-t-0-0-1.csv');
      await expectList(target, '', []);
      expectEqual(await target.sealed(), ['20180101/e-t-0-0-1.csv'], 'sealed files');
      await target.commit('20180101/e-t-0-0-1.csv');
      await expectList(target, '', [{ path: '20180101/e-t-0-0-1.csv', bytes: 8 }]);
      await expectContent(target, '20180101/e-t-0-0-1.csv', text('a,b\n1,2\n'));
      expectEqual(await target.sealed(), [], 'sealed files');
      await target.close();
    },
  },
  {
    title: 'a sealed file outlives its process, and another commits it',
    async run({ fresh, again }) {
      const first = await fresh();
      await write(first, 'x/a.csv', text('rows'));
      await first.close();
      const second = await again();
      expectEqual(await second.sealed(), ['x/a.csv'], 'sealed files');
      await second.commit('x/a.csv');
      await expectContent(second, 'x/a.csv', text('rows'));
      await second.close();
    },
  },
  {
    title: 'a second commit does nothing',
    async run({ fresh, again }) {
      const target = await fresh();
      await write(target, 'x/a.csv', text('rows'));
      await target.commit('x/a.csv');
      await target.commit('x/a.csv');
      const other = await again();
      await other.commit('x/a.csv');
      await expectList(target, '', [{ path: 'x/a.csv', bytes: 4 }]);
      await target.close();
      await other.close();
    },
  },
  {
    title: 'a file that is neither sealed nor visible cannot be committed',
    async run({ fresh }) {
      const target = await fresh();
      let failed: unknown;
      await target.commit('x/none.csv').catch((error) => {
        failed = error;
      });
      if (!StreamsError.is(failed) || failed.code !== 'STREAMS_SINK')
        throw new Error(`commit gave ${String(failed)}, not STREAMS_SINK`);
      await target.close();
    },
  },
  {
    title: 'two attempts at one file give it once',
    async run({ fresh, again }) {
      const target = await fresh();
      await write(target, 'x/a.csv', text('rows'));
      const other = await again();
      await write(other, 'x/a.csv', text('rows'));
      await target.commit('x/a.csv');
      await other.commit('x/a.csv');
      await expectList(target, '', [{ path: 'x/a.csv', bytes: 4 }]);
      expectEqual(await other.sealed(), [], 'sealed files');
      await target.close();
      await other.close();
    },
  },
  {
    title: 'a visible file is not replaced by a later attempt',
    async run({ fresh }) {
      const target = await fresh();
      await write(target, 'x/a.csv', text('first'));
      await target.commit('x/a.csv');
      await write(target, 'x/a.csv', text('later'));
      await target.commit('x/a.csv');
      await expectContent(target, 'x/a.csv', text('first'));
      await target.close();
    },
  },
  {
    title: 'an aborted file is gone, open or sealed',
    async run({ fresh }) {
      const target = await fresh();
      const file = await target.open('t-0');
      await file.append(text('rows'));
      await file.abort();
      await write(target, 'x/a.csv', text('rows'));
      await target.abort('x/a.csv');
      await target.abort('x/never.csv');
      expectEqual(await target.sealed(), [], 'sealed files');
      await expectList(target, '', []);
      await target.close();
    },
  },
  {
    title: 'what an owner left unsealed can be abandoned, and what it sealed stays',
    async run({ fresh, again }) {
      const target = await fresh();
      const left = await target.open('t-0');
      await left.append(text('half'));
      await write(target, 'x/a-t-0-1-2.csv', text('whole'));
      const next = await again();
      await next.abandon('t-0');
      await next.abandon('t-1');
      expectEqual(await next.sealed(), ['x/a-t-0-1-2.csv'], 'sealed files');
      await next.commit('x/a-t-0-1-2.csv');
      await expectList(next, '', [{ path: 'x/a-t-0-1-2.csv', bytes: 5 }]);
      await left.abort();
      await target.close();
      await next.close();
    },
  },
  {
    title: 'files are listed by prefix, sorted by path',
    async run({ fresh }) {
      const target = await fresh();
      for (const path of ['date=2018-01-02/b.csv', 'date=2018-01-01/b.csv', 'date=2018-01-01/a.csv', 'top.csv']) {
        await write(target, path, text(path));
        await target.commit(path);
      }
      const paths = async (prefix: string): Promise<string[]> => (await target.list(prefix)).map(({ path }) => path);
      expectEqual(
        await paths(''),
        ['date=2018-01-01/a.csv', 'date=2018-01-01/b.csv', 'date=2018-01-02/b.csv', 'top.csv'],
        'all',
      );
      expectEqual(await paths('date=2018-01-01/'), ['date=2018-01-01/a.csv', 'date=2018-01-01/b.csv'], 'a folder');
      expectEqual(await paths('date=2018-01-01/b'), ['date=2018-01-01/b.csv'], 'part of a name');
      expectEqual(await paths('none/'), [], 'nothing');
      await target.remove('top.csv');
      await target.remove('top.csv');
      expectEqual(await paths('top'), [], 'removed');
      await target.close();
    },
  },
  {
    title: 'content of any size and kind comes back as it was',
    async run({ fresh }) {
      const target = await fresh();
      const large = new Uint8Array(18 << 20).map((_, i) => (i * 31 + (i >> 12)) & 255);
      const contents: readonly [string, Uint8Array][] = [
        ['x/empty.csv', new Uint8Array(0)],
        ['x/large é+%2F.bin', large],
      ];
      for (const [path, content] of contents) {
        const file = await target.open('t-0');
        for (let at = 0; at < content.length; at += 5_000_000) await file.append(content.subarray(at, at + 5_000_000));
        await file.seal(path);
        await target.commit(path);
        await expectContent(target, path, content);
      }
      await target.close();
    },
  },
  {
    title: 'several files are written at the same time',
    async run({ fresh }) {
      const target = await fresh();
      const files = await Promise.all(['a', 'b', 'c'].map((name) => target.open(`t-${name}`)));
      for (let i = 0; i < 10; i++) await Promise.all(files.map((file, k) => file.append(text(`${k}${i};`))));
      await Promise.all(files.map((file, k) => file.seal(`x/${k}.csv`)));
      for (let k = 0; k < 3; k++) {
        await target.commit(`x/${k}.csv`);
        await expectContent(
          target,
          `x/${k}.csv`,
          concatBytes(...Array.from({ length: 10 }, (_, i) => text(`${k}${i};`))),
        );
      }
      await target.close();
    },
  },
];

async function write(target: SinkTarget, path: string, content: Uint8Array): Promise<void> {
  const file: PendingFile = await target.open('t-0');
  await file.append(content);
  await file.seal(path);
}

async function expectList(target: SinkTarget, prefix: string, wanted: readonly TargetFile[]): Promise<void> {
  expectEqual(await target.list(prefix), wanted, 'visible files');
}

async function expectContent(target: SinkTarget, path: string, wanted: Uint8Array): Promise<void> {
  const found = await target.read(path);
  if (!equalBytes(found, wanted))
    throw new Error(`${path} has ${found.length} bytes that are not the ${wanted.length} written`);
}

function expectEqual(found: unknown, wanted: unknown, what: string): void {
  const [a, b] = [JSON.stringify(found), JSON.stringify(wanted)];
  if (a !== b) throw new Error(`${what}: ${a}, not ${b}`);
}
