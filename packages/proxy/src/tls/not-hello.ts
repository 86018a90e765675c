import { alertReason, reason } from './failure.ts';

/** What comes instead of a ClientHello, as BoringSSL refuses it; without an alert the connection just ends. */
export interface NotHello {
  readonly reason: string;
  readonly alert?: number;
}

const HEADER = 5;
const ALERT = 21;
const HANDSHAKE = 22;
const CLIENT_HELLO = 1;
const FATAL = 2;
/** Bytes of a record's payload in clear text, and with all that encryption may add. */
const MAX_PLAIN = 16384;
const MAX_ENCRYPTED = MAX_PLAIN + 320;
const MAX_MESSAGE = 16384;

const REQUEST: NotHello = { reason: reason(156, 'HTTP_REQUEST') };
const PROXY_REQUEST: NotHello = { reason: reason(155, 'HTTPS_PROXY_REQUEST') };
const WRONG_VERSION: NotHello = { reason: reason(247, 'WRONG_VERSION_NUMBER'), alert: 70 };
const TOO_LONG: NotHello = { reason: reason(146, 'ENCRYPTED_LENGTH_TOO_LONG'), alert: 22 };
const DATA_TOO_LONG: NotHello = { reason: reason(136, 'DATA_LENGTH_TOO_LONG'), alert: 22 };
const OTHER_RECORD: NotHello = { reason: reason(225, 'UNEXPECTED_RECORD'), alert: 10 };
const OTHER_MESSAGE: NotHello = { reason: reason(223, 'UNEXPECTED_MESSAGE'), alert: 10 };
const LARGE_MESSAGE: NotHello = { reason: reason(150, 'EXCESSIVE_MESSAGE_SIZE'), alert: 47 };
const MALFORMED: NotHello = { reason: reason(131, 'CLIENTHELLO_PARSE_FAILED'), alert: 50 };

/** Of bytes that are no ClientHello, five at least: why, or `more` while the record is not there; undefined: not for BoringSSL's reasons. */
export function refusalOf(bytes: Buffer): NotHello | 'more' | undefined {
  const start = bytes.toString('latin1', 0, HEADER);
  if (/^(?:GET |POST |HEAD |PUT )/.test(start)) return REQUEST;
  if (start === 'CONNE') return PROXY_REQUEST;
  if (bytes[1] !== 3) return WRONG_VERSION;
  const length = bytes.readUInt16BE(3);
  if (length > MAX_ENCRYPTED) return TOO_LONG;
  if (bytes.length < HEADER + length) return 'more';
  if (length > MAX_PLAIN) return DATA_TOO_LONG;
  if (bytes[0] === ALERT) return length === 2 && bytes[5] === FATAL ? { reason: alertReason(bytes[6]!) } : undefined;
  if (bytes[0] !== HANDSHAKE) return OTHER_RECORD;
  if (length < 4) return undefined;
  return bytes[5] === CLIENT_HELLO ? MALFORMED : OTHER_MESSAGE;
}

/** It may become a ClientHello, but one that is longer than any is. */
export function tooLarge(bytes: Buffer): NotHello | undefined {
  return bytes.length >= HEADER + 4 && bytes.readUIntBE(6, 3) > MAX_MESSAGE ? LARGE_MESSAGE : undefined;
}
