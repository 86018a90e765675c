import type { ResponseParser } from '../codec/response-parser.ts';
import type { Headers } from './headers.ts';

/** Puts the fields of an accepted upgrade, which the parser takes out, back where they were. */
export function keepUpgrade(headers: Headers, parser: ResponseParser): void {
  const { flat } = headers;
  if (parser.connectionAt <= parser.upgradeAt) {
    flat.splice(parser.upgradeAt, 0, 'upgrade', parser.upgrade);
    flat.splice(parser.connectionAt, 0, 'connection', parser.connection);
  } else {
    flat.splice(parser.connectionAt, 0, 'connection', parser.connection);
    flat.splice(parser.upgradeAt, 0, 'upgrade', parser.upgrade);
  }
}
