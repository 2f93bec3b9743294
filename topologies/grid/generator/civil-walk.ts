/**
 * A date that is walked day by day, in the plainest way there is: the truth is not to depend on the calendar code that it is held against.
 */
export class CivilWalk {
  /** Days since 1970-01-01. */
  day = 0;
  #year = 1970;
  #month = 1;
  #date = 1;

  constructor(day: number) {
    while (this.day > day) this.#toYear(this.#year - 1);
    while (this.day + daysOfYear(this.#year) <= day) this.#toYear(this.#year + 1);
    while (this.day < day) this.next();
  }

  /** Goes one day on. */
  next(): void {
    this.day++;
    this.#date++;
    if (this.#date <= daysOfMonth(this.#year, this.#month)) return;
    this.#date = 1;
    this.#month++;
    if (this.#month <= 12) return;
    this.#month = 1;
    this.#year++;
  }

  get year(): number {
    return this.#year;
  }

  /** '20171215'. */
  get compact(): string {
    return this.text.replaceAll('-', '');
  }

  /** '2017-12-15'. */
  get text(): string {
    return dateText(this.#year, this.#month, this.#date);
  }

  /** The Monday of the week. */
  get weekText(): string {
    // 1970-01-05 was a Monday.
    const sinceMonday = (((this.day - 4) % 7) + 7) % 7;
    return new CivilWalk(this.day - sinceMonday).text;
  }

  /** The first of the month. */
  get monthText(): string {
    return dateText(this.#year, this.#month, 1);
  }

  /** 1 January. */
  get yearText(): string {
    return dateText(this.#year, 1, 1);
  }

  #toYear(year: number): void {
    this.day += year > this.#year ? daysOfYear(this.#year) : -daysOfYear(year);
    this.#year = year;
  }
}

function daysOfYear(year: number): number {
  return isLeapYear(year) ? 366 : 365;
}

function daysOfMonth(year: number, month: number): number {
  if (month === 2) return isLeapYear(year) ? 29 : 28;
  return [4, 6, 9, 11].includes(month) ? 30 : 31;
}

function isLeapYear(year: number): boolean {
  return year % 400 === 0 || (year % 4 === 0 && year % 100 !== 0);
}

function dateText(year: number, month: number, date: number): string {
  return `${String(year).padStart(4, '0')}-${String(month).padStart(2, '0')}-${String(date).padStart(2, '0')}`;
}
