import type { Logger } from '../common/logger.ts';
import type { FeedFigures } from './feed-figures.ts';
import type { FileLedger } from './file-ledger.ts';
import type { FolderSurvey, PendingFile } from './folder-survey.ts';
import type { FoundContent } from './known-content.ts';
import { rewrittenError } from './known-file.ts';

/** What is kept in step when a file is noted as read under another name. */
export interface CopiedFilesOptions {
  readonly topic: string;
  readonly ledger: FileLedger;
  readonly survey: FolderSurvey;
  readonly figures: FeedFigures;
  readonly logger: Logger;
}

/** Files with rows that were read under another name: they were renamed or copied, whole or in part. They are noted as read that far, and only what they have besides is read. */
export class CopiedFiles {
  readonly #topic: string;
  readonly #ledger: FileLedger;
  readonly #survey: FolderSurvey;
  readonly #figures: FeedFigures;
  readonly #logger: Logger;

  constructor({ topic, ledger, survey, figures, logger }: CopiedFilesOptions) {
    this.#topic = topic;
    this.#ledger = ledger;
    this.#survey = survey;
    this.#figures = figures;
    this.#logger = logger;
  }

  /** Notes what a file that was taken has of a known one, and leaves it: it is taken again where it has more. */
  note({ name, size, entry: own }: PendingFile, known: FoundContent): void {
    const { as } = known;
    if (own !== undefined && this.#ledger.part(name) === undefined) this.#figures.known(own, -1);
    if (known.part !== undefined) {
      this.#ledger.putPart({ name, as: as.name, content: known.part });
      this.#survey.passOver(name);
      this.#figures.seen();
      this.#logger.warn(
        { topic: this.#topic, file: name, known: as.name },
        `${name} has nothing but the first rows of ${as.name}: they are not counted again`,
      );
      return;
    }
    const { entry, grown } = known;
    const renamed = !this.#survey.has(as.name);
    // Under its old name it would be read on a second time if it came back.
    if (renamed) this.#ledger.remove(as.name);
    this.#ledger.put({ ...entry, sequence: renamed ? as.sequence : (own?.sequence ?? this.#ledger.nextSequence) });
    if (!renamed) this.#figures.known(entry, 1);
    if (grown || !entry.done) this.#survey.again(name);
    else this.#survey.leave(name, size);
    this.#figures.seen();
    this.#logger.warn(
      { topic: this.#topic, file: name, known: as.name, bytes: entry.content.length },
      `${name} has the rows that were read as ${as.name}: it was ${renamed ? 'renamed' : 'copied'}. They are not counted again${grown ? '; what it has besides is read' : ''}`,
    );
  }

  /** A file that has more than it had is no copy. One that had nothing but the first rows of another one has others too: it is read from where it was before, if that is known. @throws StreamsError STREAMS_FILE_REWRITTEN */
  goesOn(file: PendingFile): void {
    const part = this.#ledger.part(file.name);
    if (part === undefined) return;
    const { as, content } = part;
    if (file.entry === undefined || !this.#survey.has(as)) {
      // What it had was counted under the other name; nothing tells any more where that ends.
      const facts = `saved: ${content.length} bytes, the first ones of ${as}; found: other content, and ${as} has not all of it`;
      throw rewrittenError(this.#topic, file, facts);
    }
    this.#ledger.put(file.entry);
    this.#figures.known(file.entry, 1);
    this.#logger.warn(
      { topic: this.#topic, file: file.name, known: as },
      `${file.name} begins as ${as} does and goes on in another way: it is read from where it was`,
    );
  }
}
