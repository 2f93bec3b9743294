import { groupedCount } from '../../../src/cli/progress-text.ts';
import type { ImportReport } from './import-park.ts';
import type { WindowRange } from './park-difference.ts';

/** Ranges of windows that are written out. */
const shownRanges = 8;

/** An import's report for people. */
export function importText({
  target,
  dryRun,
  difference,
  windows,
  names,
  quarantined,
  quarantine,
  copy,
}: ImportReport): string {
  const counts = Object.entries(difference).map(([word, n]) => `${groupedCount(n)} ${word}`);
  const lines = [`${target}: ${counts.join(', ')}${dryRun ? ' (nothing is changed: --dry-run)' : ''}`];
  const moved = Object.entries(windows).filter(([, ranges]) => ranges.length > 0);
  if (moved.length > 0) {
    lines.push(dryRun ? 'Windows whose statistics by place would move:' : 'Windows whose statistics by place move:');
    for (const [period, ranges] of moved) lines.push(`  ${period.padEnd(5)}  ${rangesText(ranges)}`);
  }
  if (names > 0) lines.push(`Names of places that ${dryRun ? 'would change' : 'change'}: ${groupedCount(names)}`);
  if (quarantine !== null)
    lines.push(
      `${groupedCount(quarantined)} faulty ${quarantined === 1 ? 'row is' : 'rows are'} left out: ${quarantine}`,
    );
  if (copy !== null) lines.push(`The tables as they were read are in ${copy}`);
  return `${lines.join('\n')}\n`;
}

function rangesText(ranges: readonly WindowRange[]): string {
  const shown = ranges.slice(0, shownRanges).map(({ from, to }) => {
    if (to === null) return `${from} and later`;
    return from === to ? from : `${from} to ${to}`;
  });
  const more = ranges.length - shown.length;
  return more > 0 ? `${shown.join(', ')}, and ${more} more` : shown.join(', ');
}
