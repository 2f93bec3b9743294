/** Reasons for which a record is dropped after its source. */
export const dropReasons = [
  'late',
  'null_key',
  'invalid_timestamp',
  'processing',
  'future',
  'deserialization',
] as const;
/** Why a record was dropped. */
export type DropReason = (typeof dropReasons)[number];
