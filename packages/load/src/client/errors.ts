import { RemoteRefused } from '../net/guard.ts';

export const NO_ANSWER_IN_TIME = 'no answer in time';

const WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset',
  EPIPE: 'connection reset',
  ETIMEDOUT: 'no connection in time',
  ENOTFOUND: 'unknown host',
  EAI_AGAIN: 'unknown host',
  EADDRNOTAVAIL: 'no free local port',
  EMFILE: 'too many open files',
  UND_ERR_SOCKET: 'connection closed',
  UND_ERR_CONNECT_TIMEOUT: 'no connection in time',
  UND_ERR_DESTROYED: 'cancelled',
  UND_ERR_CLOSED: 'cancelled',
  ERR_HTTP2_ERROR: 'not HTTP/2',
  ERR_HTTP2_GOAWAY_SESSION: 'connection going away',
  ERR_HTTP2_SESSION_ERROR: 'connection closed',
  ERR_HTTP2_INVALID_SESSION: 'connection closed',
};

/** An error in few words, the same for all of a kind: they are counted by them. */
export function wordsFor(error: unknown): string {
  if (error instanceof RemoteRefused) return 'remote address refused';
  if (!(error instanceof Error)) return String(error);
  const { code } = error as NodeJS.ErrnoException;
  if (code === undefined) return error.message;
  if (code in WORDS) return WORDS[code]!;
  if (code.startsWith('HPE_')) return `not HTTP/1.1 (${code})`;
  if (/CERT|TLS|SSL/.test(code)) return `TLS: ${code}`;
  return code === 'ERR_HTTP2_STREAM_ERROR' ? (/NGHTTP2_\w+/.exec(error.message)?.[0] ?? code) : code;
}
