import { type ByteWriter, putNumber } from './byte-writer.ts';
import type { TypeCode } from './made-events.ts';

const zero = 0x30;
const comma = 0x2c;
const newline = 0x0a;
const letters: readonly number[] = [0x43, 0x4b, 0x4e];

/** Header of the event files. */
export const eventHeader = 'id_evt,date_occur_evt,date_system_evt,type_evt,type_equipement,id_equipement,info_div';

/** Positions in the row's fixed part `YYYYMMDDhhmmss,YYYY-MM-DD hh:mm:ss,YYYY-MM-DD hh:mm:ss,ev_C,C,`. */
const idTime = 8;
const occurTime = 26;
const typeLetter = 58;
const equipmentLetter = 60;

/** A row with the time of the day, the letters and the equipment still to be filled in. */
export type RowTemplate = Uint8Array;

/** The template of the events of one day that arrive at one time. Dates are 'YYYY-MM-DD', the arrival 'YYYY-MM-DD hh:mm:ss'. */
export function rowTemplate(date: string, arrival: string): RowTemplate {
  return Buffer.from(`${date.replaceAll('-', '')}000000,${date} 00:00:00,${arrival},ev_C,C,`, 'latin1');
}

/** Writes a row up to its free text, digit by digit: `20171215000010,2017-12-15 00:00:10,2017-12-15 12:00:00,ev_C,C,10,`. */
export function putRow(out: ByteWriter, template: RowTemplate, second: number, type: TypeCode, id: number): void {
  out.reserve();
  const { buffer, at } = out;
  buffer.set(template, at);
  const minutes = Math.floor(second / 60);
  const hour = Math.floor(minutes / 60);
  const minute = minutes - hour * 60;
  const rest = second - minutes * 60;
  putTwo(buffer, at + idTime, hour);
  putTwo(buffer, at + idTime + 2, minute);
  putTwo(buffer, at + idTime + 4, rest);
  putTwo(buffer, at + occurTime, hour);
  putTwo(buffer, at + occurTime + 3, minute);
  putTwo(buffer, at + occurTime + 6, rest);
  buffer[at + typeLetter] = letters[type]!;
  buffer[at + equipmentLetter] = letters[type === 0 ? 0 : 1]!;
  const end = putNumber(buffer, at + template.length, id);
  buffer[end] = comma;
  out.at = end + 1;
}

/** Ends a row, whose free text is empty or written already. */
export function endRow(out: ByteWriter): void {
  out.buffer[out.at++] = newline;
}

function putTwo(buffer: Uint8Array, at: number, value: number): void {
  const tens = Math.floor(value / 10);
  buffer[at] = zero + tens;
  buffer[at + 1] = zero + value - tens * 10;
}
