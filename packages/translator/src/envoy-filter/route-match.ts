import type { Route, RouteConfiguration, VirtualHost } from '@mizzen/xds';
import type { TranslationContext } from '../context.ts';
import { mergeGateways } from '../gateways.ts';
import { HTTP_PROXY_ROUTE } from '../names.ts';
import type { Patch } from './patch.ts';
import type { Side } from './run.ts';

/** Whether a route configuration and its virtual hosts are what a patch is about. */
export class RouteMatch {
  readonly #context: TranslationContext;
  readonly #side: Side;

  constructor(context: TranslationContext, side: Side) {
    this.#context = context;
    this.#side = side;
  }

  configuration(configuration: RouteConfiguration, { match }: Patch): boolean {
    const wanted = match.routeConfiguration;
    if (wanted === undefined) return true;
    const { name = '', portNumber = 0, portName = '', gateway = '' } = wanted;
    const own = configuration.name ?? '';
    if (name !== '' && name !== own) return false;
    if (this.#side !== 'GATEWAY') return portNumber === 0 || portNumber === sidecarPort(own);
    const parsed = parseGatewayRoute(own);
    return (
      (portName === '' || portName === parsed.portName) &&
      (gateway === '' || gateway === parsed.gateway) &&
      (portNumber === 0 || this.#servesPort(parsed.port, portNumber))
    );
  }

  /** The same for one of its virtual hosts: on one machine all ports share a configuration, and their hosts name them. */
  virtualHost(configuration: RouteConfiguration, host: VirtualHost, patch: Patch): boolean {
    if (!this.#isForAllPorts(configuration)) return this.configuration(configuration, patch);
    const port = wantedPort(patch);
    return port === undefined ? this.configuration(configuration, patch) : host.name?.endsWith(`:${port}`) === true;
  }

  /** Whether virtual hosts are added to it. */
  adds(configuration: RouteConfiguration, patch: Patch): boolean {
    const anyPort = this.#isForAllPorts(configuration) && wantedPort(patch) !== undefined;
    return anyPort || this.configuration(configuration, patch);
  }

  #isForAllPorts({ name }: RouteConfiguration): boolean {
    return name === HTTP_PROXY_ROUTE && this.#context.proxy.local !== undefined;
  }

  /** A gateway may listen on another port than its Gateway says. */
  #servesPort(port: number, wanted: number): boolean {
    const servers = mergeGateways(this.#context)
      .ports.filter((each) => each.port === port)
      .flatMap((each) => each.servers);
    return servers.length === 0 ? port === wanted : servers.some(({ server }) => server.port?.number === wanted);
  }
}

/** The port of the services that a patch is about. */
function wantedPort({ match }: Patch): number | undefined {
  const { portNumber = 0, name = '' } = match.routeConfiguration ?? {};
  if (portNumber !== 0) return portNumber;
  return /^\d+$/.test(name) ? Number(name) : undefined;
}

/** Of a route configuration that matches. */
export function matchesVirtualHost(host: VirtualHost, { match }: Patch): boolean {
  const { name = '', domainName = '' } = match.routeConfiguration?.vhost ?? {};
  return (name === '' || name === host.name) && (domainName === '' || host.domains?.includes(domainName) === true);
}

export function namesRoute({ match }: Patch): boolean {
  return match.routeConfiguration?.vhost?.route !== undefined;
}

/** Of a virtual host that matches. */
export function matchesRoute(route: Route, { match }: Patch): boolean {
  const { name = '', action = 'ANY' } = match.routeConfiguration?.vhost?.route ?? {};
  if (name !== '' && name !== route.name) return false;
  const own = actionOf(route);
  return action === 'ANY' || own === undefined || own === action;
}

function actionOf(route: Route): 'ROUTE' | 'REDIRECT' | 'DIRECT_RESPONSE' | undefined {
  if (route.route !== undefined) return 'ROUTE';
  if (route.redirect !== undefined) return 'REDIRECT';
  return route.directResponse === undefined ? undefined : 'DIRECT_RESPONSE';
}

/** `80`, or `inbound|8080||`. */
function sidecarPort(name: string): number {
  const text = name.startsWith('inbound') ? (name.split('|')[1] ?? '') : name;
  return /^\d+$/.test(text) ? Number(text) : 0;
}

/** `http.8080`, or `https.443.https.front.default`. */
function parseGatewayRoute(name: string): { port: number; portName: string; gateway: string } {
  const none = { port: 0, portName: '', gateway: '' };
  if (name.startsWith('http.')) {
    const port = name.slice('http.'.length);
    return { ...none, port: /^\d+$/.test(port) ? Number(port) : 0 };
  }
  const parts = name.split('.');
  const [scheme, port = '', portName = '', gateway = '', namespace = ''] = parts;
  if (scheme !== 'https' || parts.length !== 5) return none;
  return { port: Number(port), portName, gateway: `${namespace}/${gateway}` };
}
