import type { Socket } from 'node:net';
import { kafkaNeed, requirePackage } from '../../common/optional-packages.ts';
import type { ApiVersions } from './api-versions.ts';
import type { TlsOptions } from './tls-options.ts';

/*
 * The parts of kafkajs that are used here, with the types that they have: connections with TLS and SASL, requests as bytes. Its public API is not: it has no read
 * without a group, no heartbeats while a handler works, no fencing, and its producer is slow.
 *
 * It is loaded when a broker is opened: a program over files has it not installed.
 */

/** Writes big-endian fields one after the other. */
export interface Encoder {
  writeInt8(value: number): Encoder;
  writeInt16(value: number): Encoder;
  writeInt32(value: number): Encoder;
  writeInt64(value: number | string): Encoder;
  writeBoolean(value: boolean): Encoder;
  writeString(value: string | null): Encoder;
  writeBytes(value: Buffer | null): Encoder;
  writeBuffer(value: Buffer): Encoder;
  writeEncoder(value: Encoder): Encoder;
  writeArray(values: readonly (Encoder | string | number)[]): Encoder;
  writeUVarInt(value: number): Encoder;
  writeUVarIntString(value: string | null): Encoder;
  readonly buffer: Buffer;
}

/** Reads them. */
export interface Decoder {
  readInt8(): number;
  readInt16(): number;
  readInt32(): number;
  readInt64(): bigint;
  readBoolean(): boolean;
  readString(): string | null;
  readBytes(): Buffer | null;
  readArray<T>(each: (decoder: Decoder) => T): T[];
  readUVarInt(): number;
  readUVarIntString(): string | null;
  readonly buffer: Buffer;
  readonly offset: number;
  forward(bytes: number): void;
}

/** A request as bytes: in one piece or several, to be sent one after the other. An Encoder is one. */
export interface Encoded {
  readonly buffer: Buffer | readonly Buffer[];
}

/** A request on its way, and how its answer is read. */
export interface Exchange<T> {
  readonly request: {
    readonly apiKey: number;
    readonly apiVersion: number;
    readonly apiName: string;
    encode(): Promise<Encoded>;
  };
  readonly response: {
    decode(payload: Buffer): Promise<unknown>;
    parse(decoded: unknown): Promise<T>;
  };
}

/** kafkajs's own logger. */
export interface KafkajsLogger {
  namespace(name: string): KafkajsLogger;
  debug(message: string, extra?: object): void;
  info(message: string, extra?: object): void;
  warn(message: string, extra?: object): void;
  error(message: string, extra?: object): void;
}

/** One socket to one broker. */
export interface Connection {
  readonly socket: Socket | undefined;
  readonly requestQueue: RequestQueue;
  connect(): Promise<boolean>;
  isConnected(): boolean;
  isAuthenticated(): boolean;
  authenticate(): Promise<void>;
  setVersions(versions: ApiVersions): void;
  setSupportAuthenticationProtocol(supported: boolean): void;
  nextCorrelationId(): number;
  rejectRequests(error: Error): void;
  disconnect(): Promise<boolean>;
}

/** Requests of a connection that wait for their answers. */
export interface RequestQueue {
  readonly pending: readonly unknown[];
  readonly throttledUntil: number;
  scheduleCheckPendingRequests(): void;
  maybeThrottle(ms: number | null | undefined): void;
  push(request: {
    entry: {
      apiKey: number;
      apiName: string;
      apiVersion: number;
      correlationId: number;
      resolve(answer: { payload: Buffer }): void;
      reject(error: Error): void;
    };
    expectResponse: boolean;
    requestTimeout: number | null;
    sendRequest(): void;
  }): void;
}

export interface ConnectionOptions {
  readonly host: string;
  readonly port: number;
  readonly logger: KafkajsLogger;
  readonly socketFactory: (options: {
    host: string;
    port: number;
    ssl: TlsOptions | null;
    onConnect: () => void;
  }) => Socket;
  readonly ssl: TlsOptions | null;
  readonly sasl: { mechanism: string; username: string; password: string } | null;
  readonly clientId: string;
  readonly connectionTimeout: number;
  readonly requestTimeout: number;
  readonly enforceRequestTimeout: boolean;
}

/** A kind of request in several versions. */
export interface RequestDefinition {
  readonly versions: readonly string[];
  protocol(of: { version: number }): (args: unknown) => Exchange<unknown>;
}

/** Names of the requests, as kafkajs has them. */
export type RequestName =
  | 'AddOffsetsToTxn'
  | 'AddPartitionsToTxn'
  | 'ApiVersions'
  | 'CreateTopics'
  | 'DeleteGroups'
  | 'DeleteRecords'
  | 'DescribeConfigs'
  | 'DescribeGroups'
  | 'EndTxn'
  | 'Fetch'
  | 'GroupCoordinator'
  | 'Heartbeat'
  | 'InitProducerId'
  | 'JoinGroup'
  | 'LeaveGroup'
  | 'ListOffsets'
  | 'Metadata'
  | 'OffsetCommit'
  | 'SyncGroup'
  | 'TxnOffsetCommit';

/** What is used of kafkajs. */
interface Kafkajs {
  readonly Encoder: new (initialSize?: number) => Encoder;
  readonly Decoder: new (buffer: Buffer) => Decoder;
  readonly Connection: new (options: ConnectionOptions) => Connection;
  readonly requests: Readonly<Record<RequestName, RequestDefinition>>;
  readonly apiKeys: Readonly<Record<string, number>>;
}

let loaded: Kafkajs | undefined;

/** @throws StreamsError `STREAMS_CONFIG` where it is not installed. */
export function kafkajs(): Kafkajs {
  loaded ??= {
    Encoder: part('protocol/encoder') as Kafkajs['Encoder'],
    Decoder: part('protocol/decoder') as Kafkajs['Decoder'],
    Connection: part('network/connection') as Kafkajs['Connection'],
    requests: (part('protocol/requests') as Pick<Kafkajs, 'requests'>).requests,
    apiKeys: part('protocol/requests/apiKeys') as Kafkajs['apiKeys'],
  };
  return loaded;
}

function part(path: string): unknown {
  return requirePackage(kafkaNeed, `kafkajs/src/${path}`);
}

export function newEncoder(initialSize?: number): Encoder {
  return new (kafkajs().Encoder)(initialSize);
}

export function newDecoder(buffer: Buffer): Decoder {
  return new (kafkajs().Decoder)(buffer);
}

/** What kafkajs throws: `type` is the broker's error name, where a broker has answered with one. */
export interface KafkajsError extends Error {
  readonly type?: string;
  /** Of the socket's error. */
  readonly code?: string;
}
