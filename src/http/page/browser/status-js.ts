/** Browser module: what the engine says of itself. */
export const statusJs: string = `
import { el, svg, table, write } from './dom.js';
import { ago, bytes, civil, count, percent, reasons } from './format.js';
import { Rates, rowsRead } from './rates.js';

const stateWords = {
  CREATED: 'created',
  REBALANCING: 'starting',
  RUNNING: 'running',
  PENDING_SHUTDOWN: 'stopping',
  NOT_RUNNING: 'stopped',
  ERROR: 'failed',
};

/** The badge in the head: the state in words and colour, and whether the server can be reached at all. */
export function showState(badge, state, final) {
  badge.dataset.state = state;
  write(badge, (stateWords[state] ?? state) + (final ? ', final' : ''));
}

/** The row of figures at the top. */
export class Figures {
  constructor(root, zone) {
    this.zone = zone;
    this.rates = new Rates();
    this.spark = svg('polyline', { class: 'spark-line' });
    this.bar = el('progress', { max: '1', value: '0', 'aria-label': 'Share of the bytes read' });
    this.processed = tile(
      root,
      'Rows read',
      svg(
        'svg',
        { class: 'spark', viewBox: '0 0 120 24', preserveAspectRatio: 'none', 'aria-hidden': 'true' },
        this.spark,
      ),
    );
    this.time = tile(root, 'Event time');
    this.files = tile(root, 'Files', this.bar);
    this.late = tile(root, 'Late');
    this.dead = tile(root, 'Dead letters');
    this.commits = tile(root, 'Last commit');
  }

  update(view) {
    const { tasks, feeds, kafka } = view;
    const rows = rowsRead(view);
    const rate = this.rates.add(view.nowMs, rows);
    const what = kafka === undefined ? 'rows' : 'records';
    write(this.processed.name, kafka === undefined ? 'Rows read' : 'Records read here');
    this.processed.show(count(rows), rate === undefined ? 'measuring the rate' : count(rate) + ' ' + what + '/s');
    this.spark.setAttribute('points', this.rates.points(120, 24));
    this.showTime(tasks);
    if (kafka === undefined) {
      this.showFiles(feeds);
      this.showDropped(tasks, feeds, rows);
    } else {
      this.showLag(kafka);
      this.showLetters(kafka);
    }
    const { commits } = view;
    const last = commits.lastAtMs === null ? 'none yet' : ago(view.nowMs - commits.lastAtMs);
    this.commits.show(last, count(commits.count) + ' commits in all');
  }

  showTime(tasks) {
    const newest = Math.max(...tasks.map((task) => task.streamTimeMs ?? -1), -1);
    if (newest < 0) return this.time.show('none yet', 'no record was processed');
    const { date, time } = civil(newest, this.zone);
    this.time.show(date, time + (this.zone === undefined ? '' : ' ' + this.zone));
  }

  showFiles(feeds) {
    const done = sum(feeds, (feed) => feed.filesDone);
    const total = sum(feeds, (feed) => feed.filesTotal);
    const read = sum(feeds, (feed) => feed.bytes);
    const there = Math.max(
      read,
      sum(feeds, (feed) => feed.bytesTotal),
    );
    this.bar.value = there === 0 ? 0 : read / there;
    this.bar.hidden = feeds.length === 0;
    if (feeds.length === 0) this.files.show('none', 'input comes from topics');
    else this.files.show(count(done) + ' / ' + count(total), bytes(read) + ' of ' + bytes(there));
  }

  /** How far this instance's tasks are behind the ends of what they read. */
  showLag({ inputs, unread, instances }) {
    this.bar.hidden = true;
    write(this.files.name, 'Behind');
    const behind = sum(inputs, (input) => input.lag ?? 0) + sum(unread, (partition) => partition.lag);
    const of = count(inputs.length) + ' partitions here, ' + count(instances.length) + ' instances';
    this.files.show(count(behind), of);
    this.files.root.classList.toggle('attention', unread.length > 0);
  }

  /** Letters that this instance has sent since it began: others send their own. */
  showLetters({ deadLetters, lateLetters }) {
    const dead = sum(Object.values(deadLetters), (n) => n);
    const here = 'none sent by this instance';
    this.late.show(count(lateLetters), lateLetters === 0 ? here : 'sent by this instance');
    this.dead.show(count(dead), dead === 0 ? here : reasons(deadLetters));
    this.dead.root.classList.toggle('attention', dead > 0);
  }

  showDropped(tasks, feeds, rows) {
    const late = feeds.length > 0 ? sum(feeds, (feed) => feed.late) : sum(tasks, (task) => task.dropped.late);
    this.late.show(
      count(late),
      late === 0 ? 'all were in time' : percent(late / Math.max(1, rows)) + ' of rows',
    );
    const byReason = {};
    for (const feed of feeds) {
      for (const [reason, n] of Object.entries(feed.deadByReason)) byReason[reason] = (byReason[reason] ?? 0) + n;
    }
    const dead = sum(feeds, (feed) => feed.dead);
    this.dead.show(count(dead), dead === 0 ? 'every row was good' : reasons(byReason));
    this.dead.root.classList.toggle('attention', dead > 0);
  }
}

function tile(root, label, ...extra) {
  const name = el('dt', {}, label);
  const value = el('dd', { class: 'figure' }, '–');
  const note = el('dd', { class: 'note' }, ' ');
  const gauge = extra.length === 0 ? [] : [el('dd', { class: 'gauge' }, ...extra)];
  const box = el('div', { class: 'tile' }, name, value, note, ...gauge);
  root.append(box);
  return {
    root: box,
    name,
    show(text, detail) {
      write(value, text);
      write(note, detail);
    },
  };
}

const text = (of) => (cell, row) => write(cell, of(row));

/** Tasks: what each has processed, how far its event time is, what it dropped and why. */
export function tasksTable(zone) {
  return table(
    [
      { label: 'Task', render: text((task) => task.taskId) },
      {
        label: 'Inputs',
        wide: true,
        render: text((task) => task.topics.join(', ') + ' [' + task.partition + ']'),
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

function moment(ms, zone) {
  const { date, time } = civil(ms, zone);
  return date + ' ' + time;
}

/** Inputs that are read from files. */
export function feedsTable() {
  return table(
    [
      { label: 'Topic', render: text((feed) => feed.topic) },
      {
        label: 'Files',
        numeric: true,
        render: text((feed) => count(feed.filesDone) + ' / ' + count(feed.filesTotal)),
      },
      { label: 'Rows', numeric: true, render: text((feed) => count(feed.rows)) },
      { label: 'Read', numeric: true, wide: true, render: text((feed) => bytes(feed.bytes)) },
      { label: 'Late', numeric: true, render: text((feed) => count(feed.late)) },
      { label: 'Dead', numeric: true, render: text((feed) => count(feed.dead)) },
    ],
    'Inputs',
  );
}

/** What the tasks of this instance read of topics, and how far they are. */
export function positionsTable() {
  return table(
    [
      { label: 'Topic', render: text((input) => input.topic) },
      { label: 'Partition', numeric: true, render: text((input) => String(input.partition)) },
      { label: 'Position', numeric: true, render: text((input) => count(input.position)) },
      { label: 'End', numeric: true, wide: true, render: text((input) => (input.end === null ? '–' : count(input.end))) },
      { label: 'Behind', numeric: true, render: text((input) => (input.lag === null ? '–' : count(input.lag))) },
      { label: 'Task', wide: true, render: text((input) => input.taskId) },
    ],
    'Positions',
  );
}

/** All instances of the application. */
export function instancesTable() {
  return table(
    [
      { label: 'Instance', render: text((instance) => instance.endpoint || 'without an address') },
      { label: 'Tasks', numeric: true, render: text((instance) => count(instance.active)) },
      { label: 'Standby tasks', numeric: true, render: text((instance) => count(instance.standby)) },
    ],
    'Instances',
  );
}

/** Stores: how much they hold in memory, and how well that serves. */
export function storesTable() {
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

function storeLink(cell, store) {
  const link = cell.firstChild ?? cell.appendChild(el('a', {}));
  link.setAttribute('href', '/stores/' + encodeURIComponent(store.name) + '?limit=100');
  link.setAttribute('title', 'The first 100 rows');
  write(link, store.name);
}

function hitRatio({ hits = 0, misses = 0 }) {
  return hits + misses === 0 ? '–' : percent(hits / (hits + misses));
}

function sum(items, of) {
  return items.reduce((all, item) => all + of(item), 0);
}
`;
