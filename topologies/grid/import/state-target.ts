import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { engineOptions } from '../../../src/cli/engine-settings.ts';
import { openState } from '../../../src/cli/open-state.ts';
import { messageOf, StreamsError } from '../../../src/common/errors.ts';
import type { Logger } from '../../../src/common/logger.ts';
import { Zone } from '../../../src/common/time/zone.ts';
import type { Config } from '../../../src/config/config.ts';
import { writeWholeFile } from '../../../src/files/whole-file.ts';
import type { EmbeddedStreams } from '../../../src/runtime/embedded-streams.ts';
import type { KeyHistory } from '../../../src/runtime/load-histories.ts';
import type { ReadOnlyVersionedStore } from '../../../src/runtime/read-only-stores.ts';
import { gridApplication } from '../application.ts';
import { gridSpec } from '../application-spec.ts';
import type { Place } from '../park/place.ts';
import { parkTable } from '../topology.ts';
import { absent, changedHistories } from './changed-histories.ts';
import { ParkDifference } from './park-difference.ts';
import type { ApplyOptions, LastImport, ParkOfZone, ParkTarget } from './park-target.ts';

/** Which state is imported into. */
export interface StateTargetOptions {
  readonly directory: string;
  /** Of a state that is made, or that it must have. Undefined: its own, or the default. */
  readonly zone: string | undefined;
  readonly config: Config;
  readonly logger: Logger;
}

/** A state folder as the target of imports: what a replay into it counts by. The last import is remembered in its file `park-import.json`. */
export class StateTarget implements ParkTarget {
  readonly name: string;
  readonly #options: StateTargetOptions;

  constructor(options: StateTargetOptions) {
    this.#options = options;
    this.name = options.directory;
  }

  async last(): Promise<LastImport | undefined> {
    const file = this.#file;
    try {
      return JSON.parse(await readFile(file, 'utf8')) as LastImport;
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      const message = `${file} cannot be read: ${messageOf(cause)}. Delete it to import without comparing the numbers of rows.`;
      throw new StreamsError('STREAMS_FILE', message, { file, cause });
    }
  }

  async apply(histories: ParkOfZone, { record, dryRun, signal }: ApplyOptions): Promise<ParkDifference> {
    const { directory, zone, config, logger } = this.#options;
    const engine = engineOptions(gridSpec, config);
    const input = dryRun ? {} : { input: { settings: { zone }, folders: [], engine } };
    const state = await openState(gridSpec, gridApplication, { directory, logger, ...input }).catch((error) => {
      if (dryRun && StreamsError.is(error) && error.code === 'STREAMS_STATE_MISSING') return undefined;
      throw error;
    });
    const civil = state?.settings.zone ?? zone ?? gridSpec.defaults.zone;
    const difference = new ParkDifference(Zone.of(civil));
    const before =
      state === undefined ? absent() : (state.store(parkTable) as ReadOnlyVersionedStore<string, Place>).all();
    try {
      const changes = changedHistories(before, histories(civil), difference);
      if (state === undefined || dryRun) for await (const _ of changes) signal.throwIfAborted();
      else await state.streams.changeGlobalTable(parkTable, untilAborted(changes, state.streams, signal));
    } finally {
      await state?.close();
    }
    if (!dryRun) await writeWholeFile(this.#file, (handle) => handle.writeFile(`${JSON.stringify(record)}\n`));
    return difference;
  }

  get #file(): string {
    return join(this.#options.directory, 'park-import.json');
  }
}

/** Stops at the signal while nothing is committed yet. Afterwards the rest is seconds away, and half a park would be of no use. */
async function* untilAborted(
  changes: AsyncIterable<KeyHistory>,
  streams: EmbeddedStreams,
  signal: AbortSignal,
): AsyncIterable<KeyHistory> {
  const { commits } = streams.stats();
  for await (const change of changes) {
    if (signal.aborted && streams.stats().commits === commits) signal.throwIfAborted();
    yield change;
  }
}
