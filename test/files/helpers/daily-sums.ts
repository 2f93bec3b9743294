import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { silentLogger } from '../../../src/common/logger.ts';
import { CalendarWindows } from '../../../src/dsl/calendar-windows.ts';
import { StreamsBuilder } from '../../../src/dsl/streams-builder.ts';
import { FolderFeed } from '../../../src/files/folder-feed.ts';
import { Letters } from '../../../src/files/letters.ts';
import type { RowFormat } from '../../../src/files/row-format.ts';
import { EmbeddedStreams } from '../../../src/runtime/embedded-streams.ts';
import type { FeedProgress } from '../../../src/runtime/feed.ts';
import type { ReadOnlyWindowStore } from '../../../src/runtime/read-only-stores.ts';
import { jsonSerde, stringSerde } from '../../../src/serde/serdes.ts';

/** What a meter measured; null: it was there, and measured nothing. */
export interface Measured {
  readonly atMs: number;
  readonly amount: number | null;
}

interface Sum {
  readonly amount: number;
  readonly missing: number;
}

/** Sums by meter and civil day, as `meter day: amount (missing)`, and what the feed says of the files. */
export async function dailySums(
  t: ExecutionContext,
  directory: string,
  format: RowFormat<string, Measured>,
  zone: string,
): Promise<{ readonly sums: readonly string[]; readonly progress: FeedProgress; readonly deadFile: string }> {
  const stateDir = mkdtempSync(join(tmpdir(), 'weir-sums-'));
  t.teardown(() => rmSync(stateDir, { recursive: true, force: true }));
  const days = CalendarWindows.day(zone).grace(366 * 86_400_000);
  const builder = new StreamsBuilder();
  builder
    .stream('readings', { name: 'readings', keySerde: stringSerde, valueSerde: jsonSerde<Measured>() })
    .groupByKey()
    .windowedBy(days)
    .aggregate(
      (): Sum => ({ amount: 0, missing: 0 }),
      (_meter, { amount }, sum): Sum =>
        amount === null ? { ...sum, missing: sum.missing + 1 } : { ...sum, amount: sum.amount + amount },
      { name: 'sums', valueSerde: jsonSerde<Sum>() },
    );
  const streams = await EmbeddedStreams.open(builder.build(), { stateDir, logger: silentLogger });
  const deadFile = join(stateDir, 'dead.jsonl');
  const dead = await Letters.open(deadFile, { state: stateDir });
  const late = await Letters.open(join(stateDir, 'late.jsonl'), { state: stateDir });
  const feed = new FolderFeed({ topic: 'readings', directory, format, dead, late, logger: silentLogger });
  try {
    await streams.run([feed], { onRefused: 'continue' });
    const sums: string[] = [];
    const store = streams.store('sums') as ReadOnlyWindowStore<string, Sum>;
    for await (const { windowed, value } of store.fetchAll(0, Infinity)) {
      const missing = value.missing === 0 ? '' : ` (${value.missing} missing)`;
      sums.push(`${windowed.key} ${days.formatStart(windowed.startMs)}: ${value.amount}${missing}`);
    }
    return { sums, progress: feed.progress, deadFile };
  } finally {
    await streams.close();
    await dead.close();
    await late.close();
  }
}
