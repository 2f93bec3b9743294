import type { _Object, CompletedPart, MultipartUpload, S3Client } from '@aws-sdk/client-s3';
import { messageOf, StreamsError } from '../common/errors.ts';
import type { Logger } from '../common/logger.ts';
import { withPackages } from '../common/optional-packages.ts';
import { retry } from './retry.ts';
import { sinkError } from './sink-error.ts';
import type { Spool } from './spool.ts';
import { SpooledFile } from './spooled-file.ts';
import { assertPath, type PendingFile, type SinkTarget, type TargetFile } from './target.ts';

type Sdk = typeof import('@aws-sdk/client-s3');

/** How S3 is reached. Credentials are the SDK's affair: environment, profile or role. */
export interface S3Options {
  /** How long a server that is away is waited for, ms. */
  readonly timeoutMs: number;
  readonly logger: Logger;
  /** Of a server that is not Amazon's, such as `http://127.0.0.1:9000`. @defaultValue `AWS_ENDPOINT_URL_S3`, or Amazon's */
  readonly endpoint?: string;
  /** How long a connection may be silent while an answer is awaited, ms. @defaultValue 60000 */
  readonly silenceMs?: number;
}

/** Parts of an upload, bytes: S3 takes 10,000 parts, of at least 5 MiB but for the last. */
const partBytes = 16 << 20;
/** Number of the last part of every upload, whatever their count: an upload that has it is complete. Numbers need not be consecutive. */
const lastPart = 10_000;

/**
 * A prefix of a bucket. A file is an upload in parts that is not completed until it is committed: S3 shows it to nobody before, and whole afterwards. An upload
 * that nobody completes is aborted by the next owner of its partition.
 */
export class S3Target implements SinkTarget {
  readonly url: string;
  readonly #sdk: Sdk;
  readonly #client: S3Client;
  readonly #bucket: string;
  readonly #prefix: string;
  readonly #options: S3Options;
  readonly #closed = new AbortController();

  private constructor(sdk: Sdk, url: URL, options: S3Options) {
    this.#sdk = sdk;
    this.#options = options;
    this.#bucket = url.hostname;
    const prefix = decodeURIComponent(url.pathname).replace(/^\/+|\/+$/g, '');
    this.#prefix = prefix === '' ? '' : `${prefix}/`;
    this.url = `s3://${this.#bucket}/${this.#prefix}`;
    const { endpoint, silenceMs = 60_000 } = options;
    this.#client = new sdk.S3Client({
      ...(endpoint === undefined ? {} : { endpoint, forcePathStyle: true }),
      maxAttempts: 1,
      // A server that takes a request and answers nothing, or stops in the midst, is away too. The SDK only warns of a `requestTimeout` that is over.
      requestHandler: { connectionTimeout: 10_000, socketTimeout: silenceMs },
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
    });
  }

  /**
   * @param url - `s3://bucket/prefix`.
   * @throws StreamsError `STREAMS_CONFIG` where `@aws-sdk/client-s3` is not installed.
   */
  static async open(url: URL, options: S3Options): Promise<S3Target> {
    return new S3Target(await loadSdk(), url, options);
  }

  open(_owner: string): Promise<PendingFile> {
    return SpooledFile.open((path, spool) => this.#upload(path, spool));
  }

  async commit(path: string): Promise<void> {
    assertPath(path);
    await this.#try(`${path} cannot be made visible`, async () => {
      let done = await this.#exists(path);
      for (const upload of await this.#uploads(path, true)) {
        const parts = await this.#parts(upload);
        if (done) await this.#abortUpload(upload);
        else if (isComplete(parts)) {
          await this.#complete(upload, parts);
          done = true;
        }
      }
      if (!done) throw new Error('it is neither complete nor visible');
    });
  }

  async sealed(): Promise<readonly string[]> {
    return this.#try('uploads cannot be listed', async () => {
      const paths = new Set<string>();
      for (const upload of await this.#uploads('', false)) {
        if (isComplete(await this.#parts(upload))) paths.add(upload.Key!.slice(this.#prefix.length));
      }
      return [...paths].sort();
    });
  }

  async abort(path: string): Promise<void> {
    await this.#try(`${path} cannot be removed`, async () => {
      for (const upload of await this.#uploads(path, true)) await this.#abortUpload(upload);
    });
  }

  /** Uploads that were cut. */
  async abandon(owner: string): Promise<void> {
    await this.#try('uploads cannot be removed', async () => {
      for (const upload of await this.#uploads('', false)) {
        if (upload.Key!.includes(`-${owner}-`) && !isComplete(await this.#parts(upload)))
          await this.#abortUpload(upload);
      }
    });
  }

  async list(prefix: string): Promise<readonly TargetFile[]> {
    return this.#try('the bucket cannot be listed', async () => {
      const found: TargetFile[] = [];
      for (let token: string | undefined; ; ) {
        const answer = await this.#client.send(
          new this.#sdk.ListObjectsV2Command({
            Bucket: this.#bucket,
            Prefix: this.#prefix + prefix,
            ...(token === undefined ? {} : { ContinuationToken: token }),
          }),
        );
        for (const { Key, Size } of (answer.Contents ?? []) as _Object[])
          found.push({ path: Key!.slice(this.#prefix.length), bytes: Size ?? 0 });
        token = answer.NextContinuationToken;
        if (token === undefined) break;
      }
      return found.sort((a, b) => (a.path < b.path ? -1 : 1));
    });
  }

  read(path: string): Promise<Uint8Array> {
    assertPath(path);
    return this.#try(`${path} cannot be read`, async () => {
      const { Body } = await this.#client.send(new this.#sdk.GetObjectCommand(this.#at(path)));
      if (Body === undefined) throw new Error('the answer has no content');
      return Body.transformToByteArray();
    });
  }

  async remove(path: string): Promise<void> {
    assertPath(path);
    await this.#try(`${path} cannot be removed`, () =>
      this.#client.send(new this.#sdk.DeleteObjectCommand(this.#at(path))),
    );
  }

  async close(): Promise<void> {
    this.#closed.abort();
    this.#client.destroy();
  }

  #at(path: string): { Bucket: string; Key: string } {
    return { Bucket: this.#bucket, Key: this.#prefix + path };
  }

  async #upload(path: string, spool: Spool): Promise<void> {
    assertPath(path);
    await this.#try(`${path} cannot be written`, async () => {
      const { UploadId } = await this.#client.send(new this.#sdk.CreateMultipartUploadCommand(this.#at(path)));
      const id = { ...this.#at(path), UploadId };
      try {
        for (let number = 1, at = 0; number === 1 || at < spool.bytes; number++, at += partBytes) {
          const end = Math.min(spool.bytes, at + partBytes);
          const PartNumber = end === spool.bytes ? lastPart : number;
          const Body = await spool.bytesOf(at, end);
          await this.#client.send(new this.#sdk.UploadPartCommand({ ...id, PartNumber, Body }));
        }
      } catch (error) {
        await this.#client.send(new this.#sdk.AbortMultipartUploadCommand(id)).catch(() => {});
        throw error;
      }
    });
  }

  /** Uploads that are not completed, oldest first. */
  async #uploads(path: string, exact: boolean): Promise<readonly MultipartUpload[]> {
    const found: MultipartUpload[] = [];
    for (let marker: { KeyMarker: string; UploadIdMarker: string } | undefined; ; ) {
      const answer = await this.#client.send(
        new this.#sdk.ListMultipartUploadsCommand({ Bucket: this.#bucket, Prefix: this.#prefix + path, ...marker }),
      );
      found.push(...(answer.Uploads ?? []).filter(({ Key }) => !exact || Key === this.#prefix + path));
      if (answer.IsTruncated !== true) break;
      marker = { KeyMarker: answer.NextKeyMarker!, UploadIdMarker: answer.NextUploadIdMarker! };
    }
    return found.sort((a, b) => (a.Initiated?.getTime() ?? 0) - (b.Initiated?.getTime() ?? 0));
  }

  async #parts({ Key, UploadId }: MultipartUpload): Promise<readonly CompletedPart[]> {
    const parts: CompletedPart[] = [];
    for (let marker: string | undefined; ; ) {
      const at = { Bucket: this.#bucket, Key, UploadId, ...(marker === undefined ? {} : { PartNumberMarker: marker }) };
      const answer = await this.#client.send(new this.#sdk.ListPartsCommand(at));
      for (const { PartNumber, ETag } of answer.Parts ?? []) parts.push({ PartNumber, ETag });
      if (answer.IsTruncated !== true) return parts;
      marker = answer.NextPartNumberMarker;
    }
  }

  async #complete({ Key, UploadId }: MultipartUpload, parts: readonly CompletedPart[]): Promise<void> {
    const id = { Bucket: this.#bucket, Key, UploadId };
    await this.#client.send(
      new this.#sdk.CompleteMultipartUploadCommand({ ...id, MultipartUpload: { Parts: [...parts] } }),
    );
  }

  async #abortUpload({ Key, UploadId }: MultipartUpload): Promise<void> {
    try {
      await this.#client.send(new this.#sdk.AbortMultipartUploadCommand({ Bucket: this.#bucket, Key, UploadId }));
    } catch (error) {
      if (nameOf(error) !== 'NoSuchUpload') throw error;
    }
  }

  async #exists(path: string): Promise<boolean> {
    try {
      await this.#client.send(new this.#sdk.HeadObjectCommand(this.#at(path)));
      return true;
    } catch (error) {
      if (nameOf(error) === 'NotFound' || nameOf(error) === 'NoSuchKey') return false;
      throw error;
    }
  }

  async #try<T>(what: string, work: () => Promise<T>): Promise<T> {
    const { timeoutMs, logger } = this.#options;
    const failed = (error: unknown, pauseMs: number): void =>
      logger.warn({ target: this.url, pauseMs }, `${what}: ${messageOf(error)}; trying again`);
    try {
      return await retry(work, { timeoutMs, signal: this.#closed.signal, retriable: mayPass, failed });
    } catch (error) {
      if (StreamsError.is(error)) throw error;
      throw sinkError(this.url, what, error, todoOf(error), mayPass(error));
    }
  }
}

function isComplete(parts: readonly CompletedPart[]): boolean {
  return parts.some(({ PartNumber }) => PartNumber === lastPart);
}

async function loadSdk(): Promise<Sdk> {
  return withPackages(
    { what: 'A target s3://…', packages: ['@aws-sdk/client-s3'] },
    () => import('@aws-sdk/client-s3'),
  );
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : '';
}

/** Whether the server could not be reached, is overloaded, or failed by itself. */
function mayPass(error: unknown): boolean {
  const { $metadata, code } = error as { $metadata?: { httpStatusCode?: number }; code?: string };
  const status = $metadata?.httpStatusCode;
  if (status !== undefined) return status >= 500 || status === 429 || nameOf(error) === 'NoSuchUpload';
  return code !== undefined || nameOf(error) === 'TimeoutError';
}

function todoOf(error: unknown): string {
  const name = nameOf(error);
  if (name === 'NoSuchBucket') return 'Make the bucket, or name another: a sink makes none.';
  if (/Credentials|AccessDenied|Signature|InvalidAccessKey|Forbidden/.test(name))
    return 'Give credentials that may write there (AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile).';
  if (/region/i.test(messageOf(error))) return 'Set AWS_REGION.';
  return 'See that the server runs and can be reached, and start again: what is not visible yet is written again.';
}
