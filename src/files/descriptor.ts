import * as fs from 'node:fs';
import { StreamsError } from '../common/errors.ts';

/** Opens a file to read. @throws StreamsError STREAMS_FILE that names it; undefined if there is no such file. */
export function openDescriptor(path: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    fs.open(path, 'r', (error, descriptor) => {
      if (error === null) resolve(descriptor);
      else if (error.code === 'ENOENT') resolve(undefined);
      else
        reject(
          new StreamsError('STREAMS_FILE', `${path} cannot be opened: ${error.message}`, { file: path, cause: error }),
        );
    });
  });
}

/** Reads up to `length` bytes at `position`; 0 at the end. @throws StreamsError STREAMS_FILE */
export function readDescriptor(
  descriptor: number,
  path: string,
  target: Buffer,
  at: number,
  length: number,
  position: number,
): Promise<number> {
  return new Promise((resolve, reject) => {
    fs.read(descriptor, target, at, length, position, (error, bytesRead) => {
      if (error === null) resolve(bytesRead);
      else
        reject(
          new StreamsError('STREAMS_FILE', `${path} cannot be read at byte ${position}: ${error.message}`, {
            file: path,
            offset: position,
            cause: error,
          }),
        );
    });
  });
}

/** Closes a descriptor; a file that was only read has nothing to lose by a failing close. */
export function closeDescriptor(descriptor: number): Promise<void> {
  return new Promise((resolve) => {
    fs.close(descriptor, () => resolve());
  });
}
