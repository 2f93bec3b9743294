import { join } from 'node:path';
import type { CommandContext } from '../../../src/cli/command-spec.ts';
import { openBroker } from '../../../src/cli/open-broker.ts';
import { unlessAborted } from '../../../src/cli/until-aborted.ts';
import { withCleanup } from '../../../src/cli/with-cleanup.ts';
import { formatCivilDate } from '../../../src/common/time/civil.ts';
import { Zone } from '../../../src/common/time/zone.ts';
import { openTarget } from '../../../src/sink/open-target.ts';
import { gridSpec } from '../application-spec.ts';
import { Faults } from './faults.ts';
import { FolderCopies } from './folder-copies.ts';
import { type ImportReport, importPark } from './import-park.ts';
import { openSource } from './open-source.ts';
import type { LastImport, ParkTarget } from './park-target.ts';
import { keepHeapSmall } from './small-heap.ts';
import { type SourceAddress, sourceAddresses } from './source-url.ts';
import { StateTarget } from './state-target.ts';
import type { CopyFormat, TableCopies } from './table-copies.ts';
import { readTableMap, type TableMap } from './table-map.ts';
import { TargetCopies } from './target-copies.ts';
import { TopicTarget } from './topic-target.ts';

/** What is imported where, as options say it. */
export interface ImportRequest {
  readonly from: readonly string[];
  readonly into: 'state' | 'topic';
  readonly state: string;
  readonly topic: string;
  readonly zone: string | undefined;
  readonly map: string | undefined;
  readonly quarantine: boolean;
  readonly faults: string | undefined;
  readonly maxShrink: number;
  readonly copyTo: string | undefined;
  readonly copyFormat: CopyFormat;
  readonly dryRun: boolean;
}

const faultsFile = 'park-faults.csv';

/** An import that can be repeated: each run opens what it needs, and closes it. */
export class ImportJob {
  readonly #request: ImportRequest;
  readonly #context: CommandContext;
  readonly #addresses: readonly SourceAddress[];
  readonly #map: TableMap;
  readonly #zone: string;

  /** @throws StreamsError `STREAMS_USAGE`, `STREAMS_CONFIG` for what cannot be meant. */
  constructor(request: ImportRequest, context: CommandContext) {
    const { config, env } = context;
    keepHeapSmall();
    this.#request = request;
    this.#context = context;
    this.#zone = request.zone ?? gridSpec.defaults.zone;
    Zone.of(this.#zone);
    const password = config.get('import.password');
    this.#addresses = sourceAddresses(request.from, { password, file: config.get('import.password.file'), env });
    this.#map = request.map === undefined ? new Map() : readTableMap(request.map);
  }

  /** Imports once. */
  async run(): Promise<ImportReport> {
    const { quarantine, maxShrink, dryRun } = this.#request;
    const copies = this.#copies();
    const { logger, signal } = this.#context;
    return this.#withTarget((target) =>
      importPark({
        sources: this.#addresses.map((address) => openSource(address, signal)),
        ...{ target, map: this.#map, quarantine, maxShrink, dryRun, logger, signal },
        faults: new Faults(this.#faultsFile()),
        ...(copies === undefined ? {} : { copies }),
      }),
    );
  }

  /** What is remembered of the last import. */
  last(): Promise<LastImport | undefined> {
    return this.#withTarget((target) => target.last());
  }

  async #withTarget<T>(act: (target: ParkTarget) => Promise<T>): Promise<T> {
    const { into, state: directory, topic, zone } = this.#request;
    const { config, logger, signal } = this.#context;
    if (into === 'state') return act(new StateTarget({ directory, zone, config, logger }));
    const replicationFactor = config.get('replication.factor');
    return withCleanup(async (defer) => {
      const broker = await openBroker(this.#context);
      defer(() => broker.close());
      return unlessAborted(
        signal,
        act(new TopicTarget({ broker, topic, zone: this.#zone, replicationFactor, logger })),
      );
    });
  }

  #copies(): TableCopies | undefined {
    const { copyTo, copyFormat: format } = this.#request;
    if (copyTo === undefined) return undefined;
    const day = this.#today();
    if (!/^[a-z][a-z0-9+.-]+:\/\//i.test(copyTo)) return new FolderCopies(copyTo, day, format);
    const { config, logger } = this.#context;
    const root = copyTo.replace(/\/+$/, '');
    return new TargetCopies({
      ...{ day, format },
      open: (folder) =>
        openTarget(folder === '' ? root : `${root}/${folder}`, { timeoutMs: config.get('task.timeout.ms'), logger }),
    });
  }

  #faultsFile(): string {
    const { faults, into, state } = this.#request;
    return faults ?? (into === 'state' ? join(state, faultsFile) : faultsFile);
  }

  /** `YYYYMMDD` */
  #today(): string {
    return formatCivilDate(Zone.of(this.#zone).dayOf(Date.now())).replaceAll('-', '');
  }
}
