import type { ProxyStatusProgram } from '../program/types.ts';
import { flagNames } from '../telemetry/access-log-flags.ts';
import { ResponseFlag, type StreamInfo } from '../types.ts';

type Problem = readonly [name: string, status: number | undefined];

const UNAVAILABLE: Problem = ['destination_unavailable', 503];
const NOT_IN_TIME: Problem = ['http_response_timeout', 504];
const CONNECTION_TIMEOUT: Problem = ['connection_timeout', 504];
const TERMINATED: Problem = ['connection_terminated', 502];
const REFUSED: Problem = ['connection_refused', 502];
const LIMIT: Problem = ['connection_limit_reached', 503];
const BAD_REQUEST: Problem = ['http_request_error', undefined];

/** What a flag is called in RFC 9209, and the status it recommends; the first that is set counts. */
const PROBLEMS: readonly (readonly [flag: number, problem: Problem])[] = [
  [ResponseFlag.LH, UNAVAILABLE],
  [ResponseFlag.UH, UNAVAILABLE],
  [ResponseFlag.UT, NOT_IN_TIME],
  [ResponseFlag.LR, CONNECTION_TIMEOUT],
  [ResponseFlag.UR, TERMINATED],
  [ResponseFlag.UF, REFUSED],
  [ResponseFlag.UC, TERMINATED],
  [ResponseFlag.UO, LIMIT],
  [ResponseFlag.NR, ['destination_not_found', 500]],
  [ResponseFlag.RL, LIMIT],
  [ResponseFlag.RLSE, LIMIT],
  [ResponseFlag.UAEX, REFUSED],
  [ResponseFlag.URX, UNAVAILABLE],
  [ResponseFlag.SI, NOT_IN_TIME],
  [ResponseFlag.IH, BAD_REQUEST],
  [ResponseFlag.DPE, BAD_REQUEST],
  [ResponseFlag.UMSDR, NOT_IN_TIME],
  [ResponseFlag.UPE, ['http_protocol_error', 502]],
  [ResponseFlag.NC, UNAVAILABLE],
  [ResponseFlag.DF, ['dns_error', 502]],
  [ResponseFlag.FI, BAD_REQUEST],
];

/** What `proxy-status` says of a response, and its status; undefined: nothing went wrong here. */
export function proxyStatus(
  info: StreamInfo,
  program: ProxyStatusProgram,
): { readonly value: string; readonly status: number | undefined } | undefined {
  const flags = info.responseFlags;
  if (flags === 0) return undefined;
  const found = PROBLEMS.find(([flag]) => (flags & flag) !== 0);
  if (found === undefined) return undefined;
  const [, [name, status]] = found;
  const parts = [program.name, `error=${name}`];
  if (program.details && info.responseCodeDetails !== '') {
    const details = [info.responseCodeDetails];
    if (program.termination && (info.connectionTerminationDetails ?? '') !== '')
      details.push(info.connectionTerminationDetails!);
    if (program.flags) details.push(flagNames(flags, false, info.flagOrder) ?? '-');
    parts.push(`details="${details.join('; ').replaceAll(/["\\]/g, '\\$&')}"`);
  }
  return { value: parts.join('; '), status: program.recommended ? status : undefined };
}
