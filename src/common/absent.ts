/** Whether a key or value is missing: Kafka's null. Both `undefined` and `null` are. */
export function isAbsent(value: unknown): value is undefined | null {
  return value === undefined || value === null;
}
