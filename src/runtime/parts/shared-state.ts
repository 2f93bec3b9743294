import type { StoreSpec } from '../../processor/node.ts';
import type { StateSettings } from '../state-folder.ts';
import type { StorePart } from './store-part.ts';

/** Whose partitions: those that an instance has itself, or those of the whole application, wherever they are. */
export const partScopes = ['own', 'all'] as const;
export type PartScope = (typeof partScopes)[number];

/** Version of {@link SharedState} and of the rows' frames. */
export const sharedFormat = 1;

/** What is said of a store. */
export interface SharedStore {
  readonly name: string;
  /** Its kind, serdes and windows in words: whoever reads its bytes must take them for the same. */
  readonly layout: string;
  /** The partitions in the scope that was asked for. */
  readonly partitions: readonly number[];
}

/** The layout of a store in words: `window, string -> counts, calendar day Europe/Paris grace 86400000`. */
export function layoutOf({ kind, keySerde, valueSerde, windows }: StoreSpec): string {
  return `${kind}, ${keySerde.name} -> ${valueSerde.name}${windows === undefined ? '' : `, ${windows.describe()}`}`;
}

/** What one must know of an application to read its stores from elsewhere. */
export interface SharedState {
  readonly format: typeof sharedFormat;
  readonly applicationId: string;
  /** Settings that results depend on, as they are saved. */
  readonly settings: StateSettings;
  readonly stores: readonly SharedStore[];
  /** Least time that a windowed operator has observed over the tasks of the scope, ms, as of their last commits; -1 if one saw none. */
  readonly operatorTimeMs: number;
  /** Whether the open windows were closed for good. */
  readonly final: boolean;
}

/** How a part is asked for. */
export interface PartRequest {
  /** True: a copy that may lag behind will do. */
  readonly stale: boolean;
}

/** A part, or why there is none: it is on its way to or from here, or it was never here. */
export type FoundPart = StorePart | 'migrating' | undefined;

/** What an instance shows of its stores to other instances and to commands. */
export interface SharedParts {
  /** @throws StreamsError as {@link StorePart} does, if others have to be asked. */
  state(scope: PartScope): SharedState | Promise<SharedState>;
  /** A partition that this instance owns, or with `stale` has a copy of. */
  localPart(store: string, partition: number, request: PartRequest): FoundPart;
  /** A partition wherever it is. */
  anyPart(store: string, partition: number, request: PartRequest): FoundPart;
}
