import type { MessageSink } from '../codec/parser.ts';
import { RequestParser } from '../codec/request-parser.ts';
import type { HcmProgram } from '../program/types.ts';
import type { ConnectionInfo } from '../types.ts';

/** A parser that reads requests as the connection manager says. */
export function downstreamParser(sink: MessageSink, program: HcmProgram, info: ConnectionInfo): RequestParser {
  const parser = new RequestParser(sink);
  parser.maxHeadBytes = program.maxRequestHeadersBytes;
  parser.maxHeaders = program.maxHeadersCount;
  parser.keepsTrailers = program.enableTrailers;
  parser.refusesUnderscores = program.headersWithUnderscores === 'REJECT_REQUEST';
  parser.dropsUnderscores = program.headersWithUnderscores === 'DROP_HEADER';
  parser.allowChunkedLength = program.allowChunkedLength;
  parser.acceptHttp10 = program.acceptHttp10;
  parser.allowAbsoluteUrl = program.allowAbsoluteUrl;
  parser.allowCustomMethods = program.allowCustomMethods;
  parser.keepSpelling = program.headerKeyFormat === 'preserve-case';
  parser.properOthers = program.properOthers === true;
  parser.ignoresUpgrades = program.ignoresUpgrades;
  parser.refuseHttps = program.useRemoteAddress && program.xffNumTrustedHops === 0 && info.tls === undefined;
  return parser;
}
