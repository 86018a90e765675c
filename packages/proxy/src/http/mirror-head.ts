import { applyMutations } from '../program/headers.ts';
import type { MirrorProgram } from '../types.ts';
import type { Headers } from './headers.ts';
import type { MirrorSource } from './mirror.ts';

/** Of a copy of a request to `authority`. */
export function authorityOf(program: MirrorProgram, authority: string): string {
  if (program.host !== undefined && program.host !== '') return program.host;
  return program.disableShadowHostSuffix ? authority : withSuffix(authority);
}

/** Fields by which requests ask for retries. */
const WISHES = [
  'x-envoy-retry-on',
  'x-envoy-retry-grpc-on',
  'x-envoy-max-retries',
  'x-envoy-retriable-status-codes',
  'x-envoy-retriable-header-names',
  'x-envoy-upstream-alt-stat-name',
];

/** The request's own fields, changed as the copy wants them. */
export function headersOf({ mutations }: MirrorProgram, { info, request }: MirrorSource): Headers {
  const headers = request.headers.clone();
  // They see the copy as it is by then.
  const source = { info, request: { ...request, headers } };
  for (const step of mutations ?? []) applyMutations(step, headers, source);
  // As those of the request itself, which have been read by now.
  if (headers.addsEnvoyFields) for (const name of WISHES) headers.remove(name);
  return headers;
}

/** `shop.example:80` → `shop.example-shadow:80` */
function withSuffix(authority: string): string {
  const colon = authority.lastIndexOf(':');
  return colon > authority.lastIndexOf(']')
    ? `${authority.slice(0, colon)}-shadow${authority.slice(colon)}`
    : `${authority}-shadow`;
}
