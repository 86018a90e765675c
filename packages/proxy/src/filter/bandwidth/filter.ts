import type { types } from '@mizzen/xds';
import type { CompileContext } from '../../program/context.ts';
import type { Path } from '../../program/path.ts';
import type { Counter } from '../../program/types.ts';
import { milliseconds } from '../../program/values.ts';
import { liveFlag, type Live } from '../../runtime/live.ts';
import type { HttpFilter, HttpStream } from '../../types.ts';
import { PerRouteKind } from '../per-route-kind.ts';
import type { FilterScope } from '../scope.ts';
import { ByteAllowance, PacedBody } from './paced-body.ts';

const NAMES = [
  'enabled',
  'enforced',
  'pending',
  'incoming_size',
  'incoming_total_size',
  'allowed_size',
  'allowed_total_size',
] as const;
type Stats = Readonly<Record<(typeof NAMES)[number], Counter>>;

/** How fast bodies may be, and which; one allowance for all of them. */
interface Limit {
  readonly enabled: Live<boolean>;
  readonly allowance: ByteAllowance;
  readonly interval: number;
  /** Undefined: not limited. */
  readonly request: Stats | undefined;
  readonly response: Stats | undefined;
}

function compileBandwidth(
  context: CompileContext,
  config: types.bandwidthLimit.BandwidthLimit,
  path: Path,
  ofRoute: boolean,
): Limit {
  const { statPrefix = '', enableMode = 'DISABLED', limitKbps, fillInterval, runtimeEnabled } = config;
  const { clock, counter, runtime } = context.deps;
  if (statPrefix === '') context.refuse([...path, 'statPrefix'], 'must not be empty');
  if (limitKbps === undefined ? ofRoute : Number(limitKbps) < 1)
    context.refuse([...path, 'limitKbps'], 'must be at least 1');
  const interval = milliseconds(fillInterval, 50);
  if (interval < 20 || interval > 1000) context.refuse([...path, 'fillInterval'], 'must be from 20 ms to a second');
  const stats = (side: 'request' | 'response'): Stats =>
    Object.fromEntries(
      NAMES.map((name) => [name, counter(`${statPrefix}.http_bandwidth_limit.${side}_${name}`)]),
    ) as unknown as Stats;
  const [request, response] = [stats('request'), stats('response')];
  return {
    enabled: liveFlag(runtime, runtimeEnabled?.runtimeKey, runtimeEnabled?.defaultValue ?? true),
    allowance: new ByteAllowance(Number(limitKbps ?? 0), clock),
    interval,
    request: enableMode === 'REQUEST' || enableMode === 'REQUEST_AND_RESPONSE' ? request : undefined,
    response: enableMode === 'RESPONSE' || enableMode === 'REQUEST_AND_RESPONSE' ? response : undefined,
  };
}
export const bandwidthPerRoute = new PerRouteKind((context, config: types.bandwidthLimit.BandwidthLimit, path) =>
  compileBandwidth(context, config, path, true),
);

/** Limits how fast bodies pass. The route's limit replaces the filter's own. */
export function bandwidthFilter(
  context: CompileContext,
  config: types.bandwidthLimit.BandwidthLimit,
  scope: FilterScope,
  path: Path,
): HttpFilter {
  const own = compileBandwidth(context, config, path, false);
  const { clock } = context.deps;
  const use = (stream: HttpStream): Limit => bandwidthPerRoute.mostSpecific(stream, scope.name) ?? own;

  const pace = (stats: Stats, { allowance, interval }: Limit): [PacedBody, (before: number) => boolean] => {
    let begun = false;
    stats.enabled.value++;
    const body = new PacedBody({
      allowance,
      interval,
      clock,
      onPassed: (bytes, held) => {
        if (held) stats.enforced.value++;
        if (bytes === 0) return;
        stats.allowed_size.value = bytes;
        stats.allowed_total_size.value += bytes;
      },
    });
    body.once('close', () => {
      if (begun) stats.pending.value--;
      stats.incoming_size.value = 0;
    });
    return [
      body,
      (before) => {
        if (before === 0) return true;
        if (!begun) stats.pending.value++;
        begun = true;
        stats.incoming_size.value = before;
        stats.incoming_total_size.value += before;
        return true;
      },
    ];
  };

  return {
    name: scope.name,
    onRequest(stream) {
      const limit = use(stream);
      if (!limit.enabled.value || limit.request === undefined) return undefined;
      if (stream.expectsBody) stream.transformRequest(...pace(limit.request, limit));
      else limit.request.enabled.value++;
      return undefined;
    },
    onResponse(stream) {
      const limit = use(stream);
      if (!limit.enabled.value || limit.response === undefined) return undefined;
      if (stream.responseEnds) limit.response.enabled.value++;
      else stream.transformResponse(...pace(limit.response, limit));
      return undefined;
    },
  };
}
