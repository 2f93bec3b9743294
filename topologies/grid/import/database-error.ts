import { messageOf, StreamsError } from '../../../src/common/errors.ts';
import type { SourceAddress } from './source-url.ts';

/** What the codes of MySQL, PostgreSQL and the network mean, and what to do. */
const meanings: Readonly<Record<string, readonly [what: string, remedy: string]>> = {
  ...both(
    ['ER_ACCESS_DENIED_ERROR', '28P01', '28000', 'ER_ACCESS_DENIED_NO_PASSWORD_ERROR'],
    [
      'refuses the user or the password',
      'Check the user in --from, and the password in WEIR_IMPORT_PASSWORD, WEIR_IMPORT_PASSWORD_FILE or ?password-file=',
    ],
  ),
  ...both(
    ['ER_DBACCESS_DENIED_ERROR', 'ER_TABLEACCESS_DENIED_ERROR', 'ER_COLUMNACCESS_DENIED_ERROR', '42501'],
    ['does not let the user read', 'Grant SELECT on the tables of the park to the user'],
  ),
  ...both(['ER_BAD_DB_ERROR', '3D000'], ['has no such database', 'Check the database in --from']),
  ...both(
    ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ETIMEDOUT'],
    ['cannot be reached', 'Start the database, or check host and port in --from'],
  ),
  ...both(
    ['PROTOCOL_CONNECTION_LOST', 'ECONNRESET', 'EPIPE', '57P01', '57P02', '57P03', 'ER_SERVER_SHUTDOWN'],
    ['went away while it was read', 'Import again when it is back'],
  ),
  ...both(
    [
      'HANDSHAKE_SSL_ERROR',
      'HANDSHAKE_NO_SSL_SUPPORT',
      'ERR_TLS_CERT_ALTNAME_INVALID',
      'DEPTH_ZERO_SELF_SIGNED_CERT',
      'SELF_SIGNED_CERT_IN_CHAIN',
      'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
      'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
      'CERT_HAS_EXPIRED',
    ],
    ['cannot be trusted', 'Give its certificate authority with ?tls-ca=FILE, or ?tls=off where it has no TLS'],
  ),
  ...both(
    ['ER_TABLE_EXISTS_ERROR', '42P07'],
    ['has such a table already', 'Give a database without tables of a park: nothing that is there is replaced'],
  ),
  ...both(
    ['ER_CON_COUNT_ERROR', 'ER_USER_LIMIT_REACHED', '53300'],
    ['takes no more connections', 'Close others, or raise its limit'],
  ),
};

function both(codes: readonly string[], meaning: readonly [string, string]): Record<string, readonly [string, string]> {
  return Object.fromEntries(codes.map((code) => [code, meaning]));
}

/** Says what a database's error means and what to do. @returns StreamsError `STREAMS_DATABASE`; one that is a StreamsError already as it is. */
export function databaseError(address: Pick<SourceAddress, 'name'>, cause: unknown): StreamsError {
  if (StreamsError.is(cause)) return cause;
  const text = textOf(cause);
  const [what, remedy] = meanings[codeOf(cause)] ?? [
    /does not support SSL|Connection terminated|closed/i.test(text) ? 'broke the connection off' : 'reports an error',
    'See its log, and mend what it says',
  ];
  return new StreamsError('STREAMS_DATABASE', `${address.name} ${what}: ${text}. ${remedy}.`, {
    retriable: true,
    cause,
  });
}

function codeOf(error: unknown): string {
  if (typeof error !== 'object' || error === null) return '';
  if (error instanceof AggregateError) return codeOf(error.errors[0]);
  return 'code' in error ? String(error.code) : '';
}

/** The first line: what follows may repeat the statement. */
function textOf(error: unknown): string {
  const text = error instanceof AggregateError ? error.errors.map(messageOf).join(', ') : messageOf(error);
  return (text || codeOf(error)).split('\n')[0]!.replace(/\.$/, '');
}
