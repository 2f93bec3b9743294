import { StreamsError } from '../../common/errors.ts';
import type { ApiVersions } from './api-versions.ts';
import { oldestKafka } from './errors.ts';
import {
  type Decoder,
  type Encoded,
  type Exchange,
  kafkajs,
  type RequestDefinition,
  type RequestName,
} from './kafkajs.ts';

/** A kind of request in the one version that is used: how it is written, and how its answer is read. */
export interface Api<Args, Result> {
  readonly name: string;
  readonly apiKey: number;
  readonly apiVersion: number;
  /** @throws StreamsError `STREAMS_BROKER` where a broker with these versions does not speak this one. */
  exchange(args: Args, versions: ApiVersions): Exchange<Result>;
}

/** A request that kafkajs writes and reads, in the newest version that it knows unless told otherwise. Error codes are left in the answer: many answers carry several. */
export function kafkajsApi<Args, Result>(name: RequestName, version?: number): Api<Args, Result> {
  const definition = (): RequestDefinition => kafkajs().requests[name];
  return {
    name,
    get apiKey() {
      return kafkajs().apiKeys[name]!;
    },
    get apiVersion() {
      return version ?? Math.max(...definition().versions.map(Number));
    },
    exchange(args, versions): Exchange<Result> {
      const { apiVersion } = this;
      checkVersion(this, versions);
      const { request, response } = definition().protocol({ version: apiVersion })(args);
      return { request, response: { decode: response.decode, parse: asIs } };
    },
  };
}

/** The same request, written or read otherwise. */
export function changedApi<Args, Result>(
  api: Api<never, unknown>,
  exchange: Api<Args, Result>['exchange'],
): Api<Args, Result> {
  return {
    name: api.name,
    get apiKey() {
      return api.apiKey;
    },
    get apiVersion() {
      return api.apiVersion;
    },
    exchange,
  };
}

/** A request that is written and read here. */
export function ownApi<Args, Result>(
  name: string,
  apiKey: number,
  apiVersion: number,
  encode: (args: Args) => Encoded,
  decode: (payload: Buffer) => Result,
): Api<Args, Result> {
  const api = { name, apiKey, apiVersion };
  return {
    ...api,
    exchange(args, versions): Exchange<Result> {
      checkVersion(api, versions);
      return {
        request: { apiKey, apiVersion, apiName: name, encode: async () => encode(args) },
        response: { decode: async (payload) => decode(payload), parse: asIs },
      };
    },
  };
}

type Version = Omit<Api<never, unknown>, 'exchange'>;

/** Whether a broker that says these versions speaks a request as it is written here. */
export function isSpoken({ apiKey, apiVersion }: Version, versions: ApiVersions): boolean {
  const speaks = versions[apiKey];
  return speaks !== undefined && speaks.minVersion <= apiVersion && apiVersion <= speaks.maxVersion;
}

function checkVersion(api: Version, versions: ApiVersions): void {
  const { name, apiKey, apiVersion } = api;
  const speaks = versions[apiKey];
  // Nothing is known of a broker before it has said its versions.
  if (speaks === undefined || isSpoken(api, versions)) return;
  const what = `The broker speaks ${name} ${speaks.minVersion} to ${speaks.maxVersion}, ${apiVersion} is needed.`;
  const isTooNew = speaks.minVersion > apiVersion;
  const todo = isTooNew ? 'Take a newer weir-streams.' : `Take a broker of Kafka ${oldestKafka} or later.`;
  throw new StreamsError('STREAMS_BROKER', `${what} ${todo}`);
}

async function asIs<T>(decoded: unknown): Promise<T> {
  return decoded as T;
}

/** Reads a flexible (compact) array: number of elements plus one, elements. */
export function compactArray<T>(decoder: Decoder, each: (decoder: Decoder) => T): T[] {
  const length = decoder.readUVarInt() - 1;
  const values: T[] = [];
  for (let i = 0; i < length; i++) values.push(each(decoder));
  return values;
}

/** Passes over the tagged fields that end a structure. (kafkajs takes their lengths for one more than they are.) */
export function skipTags(decoder: Decoder): void {
  for (let left = decoder.readUVarInt(); left > 0; left--) {
    decoder.readUVarInt();
    decoder.forward(decoder.readUVarInt());
  }
}
