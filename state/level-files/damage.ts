/** What is wrong with a file of a database. */
export interface Damage {
  /** Its name in the database's folder. */
  readonly file: string;
  /** As the rest of a sentence that begins with the file: `is missing`. */
  readonly what: string;
}
