import { ResponseFlag, type OverrideHost, type UpstreamCluster } from '../types.ts';
import { resetDetails, resetOutcome, type ResetReason } from './reset.ts';

/** What a client is told when no attempt has brought a response. */
export interface AttemptReply {
  readonly status: number;
  readonly body: string;
  readonly details: string;
  readonly flags: number;
  readonly fields?: readonly [string, string][] | undefined;
}

const NO_HOST_REPLY: AttemptReply = {
  status: 503,
  body: 'no healthy upstream',
  details: 'no_healthy_upstream',
  flags: ResponseFlag.UH,
};

/** There is no host for a request, which may be meant for one. */
export function noHostReply(override: OverrideHost | undefined, cluster: UpstreamCluster): AttemptReply {
  if (override?.strict === true && cluster.hasHost?.(override.address) !== true)
    return { ...NO_HOST_REPLY, status: override.status };
  const why = cluster.noHost;
  return why === undefined ? NO_HOST_REPLY : { ...NO_HOST_REPLY, details: why.details };
}

export const DURATION_REPLY: AttemptReply = {
  status: 504,
  body: 'upstream max stream duration reached',
  details: 'upstream_max_stream_duration_reached',
  flags: ResponseFlag.UMSDR,
};

/** More of the body has come than is kept of it, while nobody was there to take it. */
export const TOO_MUCH_KEPT_REPLY: AttemptReply = {
  status: 507,
  body: 'exceeded request buffer limit while retrying upstream',
  details: 'request_payload_exceeded_retry_buffer_limit',
  flags: 0,
};

export function timeoutReply(status: 504 | 204, details: string, flags: number): AttemptReply {
  return { status, body: status === 504 ? 'upstream request timeout' : '', details, flags };
}

/** Something of the head that was made for the upstream is missing, or none that HTTP has. */
export function invalidHeadReply(body: string): AttemptReply {
  const details = `filter_removed_required_request_headers{${body.replaceAll(/\s/g, '_')}}`;
  return { status: 503, body, details, flags: ResponseFlag.DPE };
}

/** `interim`: an interim response had come. */
export function resetReply(
  reason: ResetReason,
  transport: string,
  attempts: number,
  interim: boolean,
  suppressEnvoyHeaders: boolean,
): AttemptReply {
  const { status, flag } = resetOutcome(reason);
  const text = attempts > 1 ? 'retried and the latest reset reason' : 'reset reason';
  const when = interim ? 'upstream_reset_after_response_started' : 'upstream_reset_before_response_started';
  return {
    status,
    body: `upstream connect error or disconnect/reset before headers. ${text}: ${reason}`,
    details: resetDetails(when, reason, transport),
    flags: flag,
    fields: reason === 'overflow' && !suppressEnvoyHeaders ? [['x-envoy-overloaded', 'true']] : undefined,
  };
}
