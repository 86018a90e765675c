/**
 * Headers of which Envoy keeps one field: when they come repeated, or are added to, the values are joined by a comma. Of
 * all others every field stays by itself. Found by trying names on Envoy.
 */
const EITHER = `connection content-length content-type keep-alive proxy-connection proxy-status transfer-encoding upgrade
  via x-envoy-attempt-count x-envoy-decorator-operation x-request-id`;

export const REQUEST_SINGLE: ReadonlySet<string> =
  setOf(`${EITHER} accept accept-encoding access-control-request-headers
  access-control-request-method access-control-request-private-network authentication authorization cache-control
  content-encoding expect grpc-accept-encoding grpc-timeout host if-match if-modified-since if-none-match if-range
  if-unmodified-since origin pragma referer te user-agent x-client-trace-id x-envoy-downstream-service-cluster
  x-envoy-downstream-service-node x-envoy-expected-rq-timeout-ms x-envoy-external-address x-envoy-force-trace
  x-envoy-hedge-on-per-try-timeout x-envoy-internal x-envoy-ip-tags x-envoy-is-timeout-retry x-envoy-max-retries
  x-envoy-original-host x-envoy-original-path x-envoy-retriable-header-names x-envoy-retriable-status-codes
  x-envoy-retry-grpc-on x-envoy-retry-on x-envoy-upstream-alt-stat-name x-envoy-upstream-rq-per-try-timeout-ms
  x-envoy-upstream-rq-timeout-alt-response x-envoy-upstream-rq-timeout-ms x-envoy-upstream-stream-duration-ms
  x-forwarded-client-cert x-forwarded-for x-forwarded-host x-forwarded-port x-forwarded-proto`);

export const RESPONSE_SINGLE: ReadonlySet<string> = setOf(`${EITHER} access-control-allow-credentials
  access-control-allow-headers access-control-allow-methods access-control-allow-origin access-control-expose-headers
  access-control-allow-private-network access-control-max-age age cache-control content-encoding date etag expires grpc-message grpc-status last-modified
  location server vary x-envoy-degraded x-envoy-immediate-health-check-fail x-envoy-ratelimited x-envoy-upstream-canary
  x-envoy-upstream-healthchecked-cluster x-envoy-upstream-service-time`);

function setOf(names: string): ReadonlySet<string> {
  return new Set(names.split(/\s+/));
}
