import { StreamsError } from '../common/errors.ts';
import type { Logger } from '../common/logger.ts';
import type { SinkTarget } from './target.ts';

/** How targets are opened. */
export interface OpenTargetOptions {
  /** How long a server that is away is waited for, ms. */
  readonly timeoutMs: number;
  readonly logger: Logger;
}

/**
 * The target that a text names: `hdfs://[user@]namenode:9870/path`, `s3://bucket/prefix`, or a folder.
 *
 * @throws StreamsError `STREAMS_USAGE` for another URL, or one with a password in it.
 */
export async function openTarget(to: string, options: OpenTargetOptions): Promise<SinkTarget> {
  // It would be a folder of this machine, while somebody waits for files elsewhere.
  if (/^(?:s3|hdfs|s?webhdfs|file):(?!\/\/)/i.test(to))
    throw new StreamsError(
      'STREAMS_USAGE',
      `'${to}' lacks a slash: give s3://bucket/prefix or hdfs://namenode:9870/path. A folder of such a name is ./${to}.`,
    );
  if (!/^[a-z][a-z0-9+.-]+:\/\//i.test(to)) {
    const { LocalTarget } = await import('./local-target.ts');
    return LocalTarget.open(to);
  }
  const url = urlOf(to);
  if (url.password !== '')
    throw new StreamsError(
      'STREAMS_USAGE',
      'a password in a URL is seen by every process of the machine. Leave it out.',
    );
  switch (url.protocol) {
    case 'hdfs:':
    case 'webhdfs:':
    case 'swebhdfs:': {
      const { WebHdfsTarget } = await import('./webhdfs-target.ts');
      return new WebHdfsTarget(url, { ...options, tls: url.protocol === 'swebhdfs:' });
    }
    case 's3:': {
      const { S3Target } = await import('./s3-target.ts');
      const endpoint = process.env['AWS_ENDPOINT_URL_S3'] ?? process.env['AWS_ENDPOINT_URL'];
      return S3Target.open(url, { ...options, ...(endpoint === undefined ? {} : { endpoint }) });
    }
    case 'file:':
      return (await import('./local-target.ts')).LocalTarget.open(decodeURIComponent(url.pathname));
    default:
      throw new StreamsError(
        'STREAMS_USAGE',
        `a target ${url.protocol}// is not known. Give a folder, hdfs://… or s3://….`,
      );
  }
}

function urlOf(text: string): URL {
  try {
    return new URL(text);
  } catch {
    throw new StreamsError(
      'STREAMS_USAGE',
      `'${text}' is not a URL. Give a folder, hdfs://namenode:9870/path or s3://bucket/prefix.`,
    );
  }
}
