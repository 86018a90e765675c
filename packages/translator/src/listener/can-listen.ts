import type { Protocol } from '@mizzen/model';
import type { TranslationContext } from '../context.ts';
import { anyAddress } from '../families.ts';
import { isHttp } from '../names.ts';

/** Where a listener would be. */
export interface Place {
  /** Empty: wherever its protocol suggests. */
  readonly bind: string;
  readonly bindToPort: boolean;
  readonly port: number;
  readonly protocol: Protocol;
  /** The ports that redirected traffic comes in on count, too. */
  readonly redirection: boolean;
}

/** False where the proxy may not bind, and on ports of all addresses that it listens on itself. */
export function canListen({ proxy, node, model }: TranslationContext, place: Place): boolean {
  const { bind, bindToPort, port } = place;
  if (bindToPort && node.metadata['UNPRIVILEGED_POD'] === 'true' && port < 1024) return false;
  if (proxy.local !== undefined) return true;
  if (bind === '' ? !isHttp(place.protocol) : bind !== anyAddress(proxy)) return true;
  const { ENVOY_STATUS_PORT: status, ENVOY_PROMETHEUS_PORT: metrics } = node.metadata;
  if (port === Number(status) || port === Number(metrics)) return false;
  if (!place.redirection) return true;
  return port !== (model.mesh.proxyListenPort ?? 15001) && port !== (model.mesh.proxyInboundListenPort ?? 15006);
}
