import type { FeedView, StoreView, TaskView } from './answers.ts';
import { el, write } from './dom.ts';
import { bytes, count, moment, percent, reasons } from './format.ts';
import { address } from './place.ts';
import { type Table, table, text } from './table.ts';

/** Tasks: what each has processed, how far its event time is, what it dropped and why. */
export function tasksTable(zone: string | undefined): Table<TaskView> {
  return table(
    [
      { label: 'Task', render: text((task) => task.taskId) },
      {
        label: 'Inputs',
        wide: true,
        render: text((task) => `${task.topics.join(', ')} [${task.partition}]`),
      },
      { label: 'Processed', numeric: true, render: text((task) => count(task.processed)) },
      {
        label: 'Event time',
        numeric: true,
        wraps: true,
        render: text((task) => (task.streamTimeMs === null ? '–' : moment(task.streamTimeMs, zone))),
      },
      { label: 'Dropped', render: text((task) => reasons(task.dropped) || 'none') },
    ],
    'Tasks',
  );
}

/** Inputs that are read from files. */
export function feedsTable(): Table<FeedView> {
  return table(
    [
      { label: 'Topic', render: text((feed) => feed.topic) },
      {
        label: 'Files',
        numeric: true,
        render: text((feed) => `${count(feed.filesDone)} / ${count(feed.filesTotal)}`),
      },
      { label: 'Rows', numeric: true, render: text((feed) => count(feed.rows)) },
      { label: 'Read', numeric: true, wide: true, render: text((feed) => bytes(feed.bytes)) },
      { label: 'Late', numeric: true, render: text((feed) => count(feed.late)) },
      { label: 'Dead', numeric: true, render: text((feed) => count(feed.dead)) },
    ],
    'Inputs',
  );
}

/** Stores: how much they hold in memory, and how well that serves. */
export function storesTable(): Table<StoreView> {
  return table(
    [
      { label: 'Store', render: storeLink },
      { label: 'Kind', wide: true, render: text((store) => store.kind) },
      { label: 'Writes', numeric: true, render: text((store) => count(store.puts ?? 0)) },
      { label: 'Cache hits', numeric: true, render: text(hitRatio) },
      { label: 'Cached rows', numeric: true, wide: true, render: text((store) => count(store.cachedEntries ?? 0)) },
      {
        label: 'To commit',
        numeric: true,
        wide: true,
        render: text((store) => bytes(store.dirtyBytes ?? 0)),
      },
    ],
    'Stores',
  );
}

function storeLink(cell: HTMLElement, store: StoreView): void {
  const link = cell.querySelector('a') ?? cell.appendChild(el('a'));
  link.setAttribute('href', address('stores', [['store', store.name]]));
  write(link, store.name);
}

function hitRatio({ hits = 0, misses = 0 }: StoreView): string {
  return hits + misses === 0 ? '–' : percent(hits / (hits + misses));
}
