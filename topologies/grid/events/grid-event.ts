import type { EventType } from '../statistics/statistic.ts';
import { type EquipmentType, equipmentKeyOf } from './equipment-key.ts';

/** What a meter or a concentrator reported. Immutable. */
export interface GridEvent {
  /** `id_evt`, the civil time of occurrence as a number: 20171215000010. No key: several events may share it. */
  readonly eventId: number;
  /** `date_occur_evt`, ms since the epoch: the event time. */
  readonly occurredAtMs: number;
  /** `date_system_evt`, ms since the epoch: when it reached the system, usually hours later. */
  readonly arrivedAtMs: number;
  readonly type: EventType;
  readonly equipmentType: EquipmentType;
  /** Unique within its type only: meter 1 and concentrator 1 are different things. */
  readonly equipmentId: number;
  /** `info_div`, free text, mostly empty. */
  readonly info: string;
}

/** The key of an event's equipment: 'C:8' for meter 8. */
export function equipmentKey(event: GridEvent): string {
  return equipmentKeyOf(event.equipmentType, event.equipmentId);
}
