import type { ApplicationView, FeedView, KafkaView, LiveView, TaskView } from './answers.ts';
import { el, write } from './dom.ts';
import { ago, bytes, civil, count, percent, reasons } from './format.ts';
import { Rate, rowsRead } from './rates.ts';

/** The row of figures at the top. */
export class Figures {
  readonly root: HTMLElement = el('dl', { class: 'figures', 'aria-label': 'Figures' });
  readonly #zone: string | undefined;
  readonly #rate = new Rate();
  /** Records of new partitions that no task reads. */
  #unread = 0;
  readonly #bar = el('progress', { max: '1', value: '0', 'aria-label': 'Share of the bytes read' });
  readonly #processed = tile(this.root, 'Rows read');
  readonly #time = tile(this.root, 'Event time');
  readonly #files = tile(this.root, 'Files', this.#bar);
  readonly #late = tile(this.root, 'Late');
  readonly #dead = tile(this.root, 'Dead letters');
  readonly #commits = tile(this.root, 'Last commit');

  constructor(zone: string | undefined) {
    this.#zone = zone;
  }

  /** Shows other figures. Gives the rate at which rows are read, in a second; undefined at the first. */
  update(view: LiveView): number | undefined {
    const { tasks, feeds, kafka } = view;
    const rows = rowsRead(view);
    const rate = this.#rate.add(view.nowMs, rows);
    const what = kafka === undefined ? 'rows' : 'records';
    write(this.#processed.name, kafka === undefined ? 'Rows read' : 'Records read here');
    this.#processed.show(count(rows), rate === undefined ? 'measuring the rate' : `${count(rate)} ${what}/s`);
    this.#showTime(tasks);
    if (kafka === undefined) {
      this.#showFiles(feeds);
      this.#showDropped(tasks, feeds, rows);
    } else {
      this.#bar.hidden = true;
      write(this.#files.name, 'Behind');
      this.#unread = sum(kafka.unread, (partition) => partition.lag);
      this.#files.root.classList.toggle('attention', kafka.unread.length > 0);
      this.#showLetters(kafka);
    }
    const { commits } = view;
    const last = commits.lastAtMs === null ? 'none yet' : ago(view.nowMs - commits.lastAtMs);
    this.#commits.show(last, `${count(commits.count)} ${commits.count === 1 ? 'commit' : 'commits'} in all`);
    return rate;
  }

  #showTime(tasks: readonly TaskView[]): void {
    const newest = Math.max(...tasks.map((task) => task.streamTimeMs ?? -1), -1);
    if (newest < 0) {
      this.#time.show('none yet', 'no record was processed');
      return;
    }
    const { date, time } = civil(newest, this.#zone);
    this.#time.show(date, `${time}${this.#zone === undefined ? '' : ` ${this.#zone}`}`);
  }

  #showFiles(feeds: readonly FeedView[]): void {
    const done = sum(feeds, (feed) => feed.filesDone);
    const total = sum(feeds, (feed) => feed.filesTotal);
    const read = sum(feeds, (feed) => feed.bytes);
    const there = Math.max(
      read,
      sum(feeds, (feed) => feed.bytesTotal),
    );
    this.#bar.value = there === 0 ? 0 : read / there;
    this.#bar.hidden = feeds.length === 0;
    if (feeds.length === 0) this.#files.show('none', 'input comes from topics');
    else this.#files.show(`${count(done)} / ${count(total)}`, `${bytes(read)} of ${bytes(there)}`);
  }

  /** How far all tasks of an application on Kafka are behind the ends of what they read; what is known of it where some do not tell. */
  showLag({ tasks, instances }: ApplicationView): void {
    const told = tasks.filter(({ behind }) => behind !== null);
    const behind = sum(told, (task) => task.behind!) + this.#unread;
    if (told.length === 0) this.#files.show('–', tasks.length === 0 ? 'no tasks yet' : 'no task tells it now');
    else if (told.length < tasks.length)
      this.#files.show(`≥ ${count(behind)}`, `${count(told.length)} of ${count(tasks.length)} tasks tell it now`);
    else this.#files.show(count(behind), `${plural(tasks.length, 'task')}, ${plural(instances.length, 'instance')}`);
  }

  /** Letters that this instance has sent since it began: others send their own. */
  #showLetters({ deadLetters, lateLetters }: KafkaView): void {
    const dead = sum(Object.values(deadLetters), (n) => n);
    const here = 'none sent by this instance';
    this.#late.show(count(lateLetters), lateLetters === 0 ? here : 'sent by this instance');
    this.#dead.show(count(dead), dead === 0 ? here : `${reasons(deadLetters)}, sent by this instance`);
    this.#dead.root.classList.toggle('attention', dead > 0);
  }

  #showDropped(tasks: readonly TaskView[], feeds: readonly FeedView[], rows: number): void {
    const late = feeds.length > 0 ? sum(feeds, (feed) => feed.late) : sum(tasks, (task) => task.dropped['late'] ?? 0);
    this.#late.show(count(late), late === 0 ? 'all were in time' : `${percent(late / Math.max(1, rows))} of rows`);
    const byReason: Record<string, number> = {};
    for (const feed of feeds) {
      for (const [reason, n] of Object.entries(feed.deadByReason)) byReason[reason] = (byReason[reason] ?? 0) + n;
    }
    const dead = sum(feeds, (feed) => feed.dead);
    this.#dead.show(count(dead), dead === 0 ? 'every row was good' : reasons(byReason));
    this.#dead.root.classList.toggle('attention', dead > 0);
  }
}

interface Tile {
  readonly root: HTMLElement;
  readonly name: HTMLElement;
  show(figure: string, note: string): void;
}

function tile(root: HTMLElement, label: string, ...extra: readonly HTMLElement[]): Tile {
  const name = el('dt', {}, label);
  const value = el('dd', { class: 'figure' }, '–');
  const note = el('dd', { class: 'note' }, ' ');
  const gauge = extra.length === 0 ? [] : [el('dd', { class: 'gauge' }, ...extra)];
  const box = el('div', { class: 'tile' }, name, value, note, ...gauge);
  root.append(box);
  return {
    root: box,
    name,
    show(figure, detail) {
      write(value, figure);
      write(note, detail);
    },
  };
}

function plural(n: number, noun: string): string {
  return `${count(n)} ${noun}${n === 1 ? '' : 's'}`;
}

function sum<Item>(items: readonly Item[], of: (item: Item) => number): number {
  return items.reduce((all, item) => all + of(item), 0);
}
