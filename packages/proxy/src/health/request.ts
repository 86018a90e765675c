import { Headers } from '../http/headers.ts';
import { OWN_CONNECTION } from '../http/own-connection.ts';
import { newStreamInfo } from '../listener/stream-info.ts';
import { applyMutations } from '../program/headers.ts';
import type { HeaderMutations } from '../program/headers.ts';
import type { RequestHead } from '../types.ts';
import type { CheckerSurroundings } from './checker.ts';

/** The head of a request that asks for health, with what the configuration adds to it. */
export function checkRequest(
  { deps }: CheckerSurroundings,
  start: { readonly method: string; readonly path: string; readonly authority: string },
  headers: HeaderMutations,
  protocol: 'HTTP/1.1' | '' = '',
): RequestHead {
  const info = newStreamInfo(OWN_CONNECTION, deps.clock);
  info.protocol = protocol;
  const request: RequestHead = { ...start, scheme: 'http', headers: new Headers(['user-agent', 'Envoy/HC']) };
  applyMutations(headers, request.headers, { info, request });
  return request;
}
