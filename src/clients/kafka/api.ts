import { StreamsError } from '../../common/errors.ts';
import {
  type ApiVersions,
  apiKeys,
  type Decoder,
  type Encoded,
  type Exchange,
  type RequestName,
  requests,
} from './kafkajs.ts';

/** A kind of request: how it is written, and how its answer is read. */
export interface Api<Args, Result> {
  readonly name: string;
  /** Writes a request in the newest version that both sides speak. */
  exchange(args: Args, versions: ApiVersions): Exchange<Result>;
}

/** A request that kafkajs writes and reads. Error codes are left in the answer: many answers carry several. */
export function kafkajsApi<Args, Result>(name: RequestName): Api<Args, Result> {
  const definition = requests[name];
  const apiKey = apiKeys[name]!;
  const newest = Math.max(...definition.versions.map(Number));
  return {
    name,
    exchange(args, versions): Exchange<Result> {
      const version = Math.min(newest, versions[apiKey]?.maxVersion ?? newest);
      const { request, response } = definition.protocol({ version })(args);
      return { request, response: { decode: response.decode, parse: asIs } };
    },
  };
}

/** A request that is written and read here, in one version. */
export function ownApi<Args, Result>(
  name: string,
  apiKey: number,
  apiVersion: number,
  encode: (args: Args) => Encoded,
  decode: (payload: Buffer) => Result,
): Api<Args, Result> {
  return {
    name,
    exchange(args, versions): Exchange<Result> {
      const speaks = versions[apiKey];
      if (speaks !== undefined && (speaks.maxVersion < apiVersion || speaks.minVersion > apiVersion)) {
        const text = `The broker speaks ${name} ${speaks.minVersion} to ${speaks.maxVersion}, ${apiVersion} is needed. Take a broker of Kafka 4.0 or later.`;
        throw new StreamsError('STREAMS_BROKER', text);
      }
      return {
        request: { apiKey, apiVersion, apiName: name, encode: async () => encode(args) },
        response: { decode: async (payload) => decode(payload), parse: asIs },
      };
    },
  };
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
