import type { Bootstrap } from '@mizzen/xds';
import { TypeUrl } from '@mizzen/xds';
import { configDump, namedSecrets } from './config-dump.ts';
import { proxyEndpoints, type ServiceEndpoints } from './endpointz.ts';
import { proxyId, syncz, synczOf } from './syncz.ts';
import type { ConfigDump, DebugProxy } from './types.ts';

/** What the debug API is about. */
export interface DebugSource {
  readonly proxies: () => readonly DebugProxy[];
  /** Endpoints of every service port, for `/debug/endpointz` without a proxy. */
  readonly endpoints: () => readonly ServiceEndpoints[];
  /** What a proxy was started with, where that is known. */
  readonly bootstrap?: (node: string) => Bootstrap | undefined;
}

/** Status and JSON body. A body with `error` has a stable code in it. */
export interface DebugAnswer {
  readonly status: 200 | 400 | 404;
  readonly body: object;
}

/**
 * Answers GET `/debug/syncz` (with `proxyID=`: of that proxy, resource by resource), `/debug/config_dump?proxyID=` (with `include_eds` as in Envoy) and `/debug/endpointz`
 * (with `proxyID=`: of that proxy), as istiod does on its port 15014. `proxyID` is a node id, `POD.NAMESPACE`, or a part
 * of a node id that only one has. Undefined: no such path. Nobody but this machine may be let in: a dump shows all that
 * a proxy is sent, with private keys left out.
 */
export function answerDebug(url: URL, source: DebugSource): DebugAnswer | undefined {
  const asked = url.searchParams.get('proxyID') ?? '';
  switch (url.pathname) {
    case '/debug/syncz': {
      if (asked === '') return { status: 200, body: syncz(source.proxies()) };
      const found = find(source.proxies(), asked);
      return 'status' in found ? found : { status: 200, body: [synczOf(found)] };
    }
    case '/debug/config_dump': {
      const found = find(source.proxies(), asked);
      if ('status' in found) return found;
      return { status: 200, body: dumpOf(found, source, url.searchParams.get('include_eds')) };
    }
    case '/debug/endpointz': {
      if (asked === '') return { status: 200, body: source.endpoints() };
      const found = find(source.proxies(), asked);
      return 'status' in found ? found : { status: 200, body: found.config ? proxyEndpoints(found.config) : [] };
    }
    default:
      return undefined;
  }
}

function dumpOf({ node, config, sync }: DebugProxy, source: DebugSource, includeEds: string | null): ConfigDump {
  const none = { listeners: [], routes: [], clusters: [], endpoints: [], extensions: [], secret: () => undefined };
  const held = sync.find(({ typeUrl }) => typeUrl === TypeUrl.secret)?.versions ?? new Map<string, string>();
  const bootstrap = source.bootstrap?.(node.id);
  return configDump(node, config ?? none, {
    secrets: config === undefined ? [] : namedSecrets(config, held),
    includeEds: includeEds !== null && includeEds !== 'false',
    ...(bootstrap === undefined ? {} : { bootstrap }),
  });
}

function find(proxies: readonly DebugProxy[], asked: string): DebugProxy | DebugAnswer {
  if (asked === '') return failure(400, 'proxy-missing', 'which proxy? `?proxyID=POD.NAMESPACE`');
  const exact = proxies.find(({ node }) => node.id === asked || proxyId(node.id) === asked);
  if (exact !== undefined) return exact;
  const partly = proxies.filter(({ node }) => node.id.includes(asked));
  if (partly.length === 1) return partly[0]!;
  if (partly.length === 0) return failure(404, 'not-found', `there is no proxy \`${asked}\` here`);
  const names = partly.map(({ node }) => proxyId(node.id)).join(', ');
  return failure(400, 'ambiguous', `\`${asked}\` could be ${names}`);
}

function failure(status: 400 | 404, code: string, message: string): DebugAnswer {
  return { status, body: { error: { code, message } } };
}
