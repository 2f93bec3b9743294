import { readFile } from 'node:fs/promises';
import { messageOf, StreamsError } from '../common/errors.ts';
import { refuseUnknown } from '../files/file-dialect.ts';
import { type FormatMapping, mappedFormat, mappingOptions } from '../files/mapped-format.ts';
import type { RowFormat } from '../files/row-format.ts';
import type { Application, ReplaySettings } from './application.ts';

/** What `--format` says of an application's files. */
export interface FilesFormat {
  /** A format over files as they are given, made of one over the application's own rows. */
  over<K, V>(format: RowFormat<K, V>, settings: Pick<ReplaySettings, 'zone'>): RowFormat<K, V>;
}

/**
 * Reads the file of `--format`; without one, files are as the application's format says.
 *
 * @throws {@link StreamsError} `STREAMS_FILE` - it cannot be read. `STREAMS_CONFIG` - it is not JSON, or has options that there are not.
 */
export async function filesFormat(file: string | undefined): Promise<FilesFormat> {
  if (file === undefined) return { over: (format) => format };
  const mapping = await readMapping(file);
  return {
    over(format, { zone }) {
      try {
        return mappedFormat(format, mapping, zone);
      } catch (error) {
        throw inFile(file, error);
      }
    },
  };
}

/** An application whose files are as `--format` says. */
export function withFormat(app: Application, files: FilesFormat): Application {
  const format = (settings: ReplaySettings): RowFormat<unknown, unknown> => files.over(app.format(settings), settings);
  return Object.assign(Object.create(app) as Application, { format });
}

async function readMapping(file: string): Promise<FormatMapping> {
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new StreamsError('STREAMS_FILE', `--format ${file} cannot be read: ${messageOf(cause)}.`, { file, cause });
  });
  let mapping: unknown;
  try {
    mapping = JSON.parse(text.replace(/^\ufeff/, ''));
  } catch (cause) {
    throw new StreamsError('STREAMS_CONFIG', `--format ${file} is not JSON: ${messageOf(cause)}.`, { file, cause });
  }
  if (typeof mapping !== 'object' || mapping === null || Array.isArray(mapping))
    throw new StreamsError('STREAMS_CONFIG', `--format ${file} is not a JSON object: write {"separator": ";"}.`, {
      file,
    });
  try {
    for (const option of Object.keys(mapping)) refuseUnknown(option, mappingOptions);
  } catch (error) {
    throw inFile(file, error);
  }
  return mapping;
}

function inFile(file: string, error: unknown): unknown {
  if (!StreamsError.is(error) || error.code !== 'STREAMS_CONFIG') return error;
  return new StreamsError('STREAMS_CONFIG', `--format ${file}: ${error.message}`, { file, cause: error });
}
