import type { Random } from '@mizzen/proxy/deps.ts';
import { Headers } from '@mizzen/proxy/http/headers.ts';
import type {
  AddressProgram,
  ChainCriteria,
  ListenerProgram,
  UpstreamTlsProgram,
} from '@mizzen/proxy/program/types.ts';
import type { ConnectionInfo, PeerTls, RequestHead, Trace } from '@mizzen/proxy/types.ts';
import { arrive, ended, findListener, passThrough, type Arrival, type HopResult } from './hop.ts';
import { offlineDeps } from './programs.ts';
import { presentsCertificate, toUpstream } from './upstream.ts';
import type { Explanation, NodePrograms, SimulatedRequest, Step, Verdict } from './types.ts';

export interface SimulateOptions {
  /** Decides where weights or chances do. Shows the middle of every die by default. */
  readonly random?: Random;
}

/** So many proxies may a request pass, internal listeners counted, before it goes round in circles. */
const MAX_HOPS = 8;

/**
 * What the mesh would do with a request, step by step, by the same pure functions that the proxies run: the listener it
 * enters, virtual host, every route and why it did or did not match, cluster, endpoints, mutual TLS, the proxy at the
 * other end with each of its authorization policies, and the verdict. `servers` are all proxies that may be met; the one
 * that listens at the endpoint's address is.
 */
export async function simulate(
  client: NodePrograms,
  servers: readonly NodePrograms[],
  request: SimulatedRequest,
  options: SimulateOptions = {},
): Promise<Explanation> {
  const random = options.random ?? offlineDeps().random;
  const steps: Step[] = [];
  const met: Met[] = [];
  const traceFor = ({ node, side }: Met): Trace => ({
    push: (step) => steps.push({ ...step, side, node: node.node }),
  });
  const verdict = await travel(client, servers, request, random, traceFor, met);
  const server = met.find(({ side }) => side === 'server');
  return { request, client: client.node, server: server?.node.node, steps, verdict };
}

/** A proxy that a request passes, and whether it is there as the one that sends it: one that calls itself is both. */
interface Met {
  readonly node: NodePrograms;
  readonly side: Step['side'];
}

async function travel(
  client: NodePrograms,
  servers: readonly NodePrograms[],
  request: SimulatedRequest,
  random: Random,
  traceFor: (met: Met) => Trace,
  met: Met[],
): Promise<Verdict> {
  const head: RequestHead = {
    method: request.method,
    path: request.path,
    authority: request.authority,
    scheme: '',
    headers: new Headers(request.headers.flatMap(([name, value]) => [name.toLowerCase(), value])),
  };
  let at: Met = { node: client, side: 'client' };
  let next = enter(client, request, traceFor(at));
  for (let hop = 0; hop < MAX_HOPS; hop++) {
    if ('verdict' in next) return next.verdict;
    const { node } = next;
    met.push(at);
    const trace = traceFor(at);
    const result: HopResult = await passThrough(next, head, random, trace);
    if (result.kind === 'ended') return result.verdict;
    const target = toUpstream(node, result.cluster, head.authority, result.decision?.route.action, trace);
    if (target.kind === 'ended') return target.result.verdict;
    if (target.kind === 'named') return left(`it goes to ${target.host}, which is not looked up offline`);
    const server = serverAt(next, servers, target.address);
    if (server !== undefined) at = { node: server, side: 'server' };
    next = connect(node, server, target.address, target.tls, next.connection, traceFor(at));
  }
  return closed('it goes round in circles');
}

export type Next = Arrival | { readonly verdict: Verdict };

/**
 * The way into the client's proxy. Connections that are captured are handed to the listener of the address they were for;
 * where there is none, the listener that captures them keeps them.
 */
export function enter(client: NodePrograms, request: SimulatedRequest, trace: Trace): Next {
  const { address, port } = request.enter;
  const listener = findListener(client, address, port) ?? client.listeners.find(captures);
  if (listener === undefined) {
    trace.push({ kind: 'listener', matched: false, text: `nothing listens at ${address}:${port}` });
    return { verdict: closed(`nothing listens at ${address}:${port}`) };
  }
  trace.push({
    kind: 'listener',
    matched: true,
    text: `listener "${listener.name}" at ${address}:${port}`,
    xds: { type: 'listener', resource: listener.name, path: [] },
  });
  const from = request.from?.address ?? client.address;
  return open(client, listener, { from, to: address, port, tls: undefined, sni: '', alpn: ['http/1.1'] }, trace);
}

function captures({ useOriginalDst, direction }: ListenerProgram): boolean {
  return useOriginalDst && direction !== 'INBOUND';
}

interface Opening {
  readonly from: string;
  readonly to: string;
  readonly port: number;
  readonly tls: PeerTls | undefined;
  readonly sni: string;
  readonly alpn: readonly string[];
}

function open(node: NodePrograms, listener: Arrival['listener'], opening: Opening, trace: Trace): Next {
  const { from, to, port, tls, sni, alpn } = opening;
  const encrypted = tls !== undefined;
  const criteria: ChainCriteria = {
    destinationAddress: to,
    destinationPort: port,
    sourceAddress: from,
    sourcePort: 0,
    directSourceAddress: from,
    serverName: sni.toLowerCase(),
    transportProtocol: encrypted ? 'tls' : 'raw_buffer',
    applicationProtocols: alpn,
  };
  const connection: ConnectionInfo = {
    id: 1,
    directRemoteAddress: from,
    remotePort: 0,
    localAddress: to,
    localPort: port,
    tls,
    requestedServerName: sni,
    applicationProtocol: alpn[0] ?? '',
  };
  const arrival = arrive(node, listener, criteria, connection, trace);
  const how = encrypted ? `TLS (${alpn.join(', ')})` : 'plain text';
  if (arrival === undefined) return { verdict: closed(`${node.label} closes the connection: it takes no ${how} here`) };
  const { chain } = arrival;
  if (chain.tls === undefined)
    return encrypted ? arrival : { ...arrival, connection: { ...connection, tls: undefined } };
  if (!encrypted) return { verdict: closed(`${node.label} closes the connection: it wants TLS and gets plain text`) };
  if (chain.tls.requireClientCertificate && !tls.authenticated) {
    return { verdict: closed(`${node.label} closes the connection: it wants a client certificate`) };
  }
  return { ...arrival, connection: { ...connection, tls: { ...tls, localUriSan: node.identity ?? '' } } };
}

/** Whose proxy takes connections to an address. A proxy reaches itself only from its way out to its way in. */
function serverAt(
  { node: from, listener: by }: Arrival,
  servers: readonly NodePrograms[],
  address: AddressProgram,
): NodePrograms | undefined {
  if (address.kind !== 'socket') return undefined;
  const { address: host, port } = address;
  return servers.find((node) => {
    const listener = findListener(node, host, port);
    if (listener === undefined || !listensOn(node, host)) return false;
    return node !== from || (by.direction !== 'INBOUND' && listener.direction === 'INBOUND');
  });
}

/** Opens the connection from one proxy to an endpoint's address, which `server` may listen at. */
function connect(
  from: NodePrograms,
  server: NodePrograms | undefined,
  address: AddressProgram,
  tls: UpstreamTlsProgram | undefined,
  before: ConnectionInfo,
  trace: Trace,
): Next {
  if (address.kind === 'pipe') return { verdict: left(`it reaches ${address.path}`) };
  if (address.kind === 'internal') return internal(from, address.name, before, trace);
  const { address: host, port } = address;
  if (server === undefined) return { verdict: left(`it reaches ${host}:${port}`) };
  const listener = findListener(server, host, port)!;
  trace.push({
    kind: 'listener',
    matched: true,
    text: `listener "${listener.name}" of ${server.label} at ${host}:${port}`,
    xds: { type: 'listener', resource: listener.name, path: [] },
  });
  if (tls === undefined)
    return open(
      server,
      listener,
      { from: from.address, to: host, port, tls: undefined, sni: '', alpn: ['http/1.1'] },
      trace,
    );
  const refusal = nameMismatch(tls, server);
  if (refusal !== undefined)
    return {
      verdict: {
        ...closed(refusal),
        status: 503,
        flags: 'UF',
        details: 'upstream_reset_before_response_started{connection_failure}',
      },
    };
  const peer = peerTls(presentsCertificate(tls) ? from.identity : undefined);
  return open(
    server,
    listener,
    { from: from.address, to: host, port, tls: peer, sni: tls.sni, alpn: tls.alpnProtocols },
    trace,
  );
}

/** A listener on every address counts only for the address of its proxy. */
function listensOn(node: NodePrograms, host: string): boolean {
  return (
    node.address === host || node.listeners.some(({ address }) => address.kind === 'socket' && address.address === host)
  );
}

function internal(node: NodePrograms, name: string, before: ConnectionInfo, trace: Trace): Next {
  const listener = node.listeners.find(({ address }) => address.kind === 'internal' && address.name === name);
  if (listener === undefined) return { verdict: closed(`there is no internal listener "${name}"`) };
  trace.push({
    kind: 'listener',
    matched: true,
    text: `internal listener "${name}"`,
    xds: { type: 'listener', resource: name, path: [] },
  });
  return open(
    node,
    listener,
    {
      from: before.directRemoteAddress,
      to: before.localAddress,
      port: before.localPort,
      tls: undefined,
      sni: '',
      alpn: ['http/1.1'],
    },
    trace,
  );
}

/** Why the client does not trust the server, if it does not. */
function nameMismatch(tls: UpstreamTlsProgram, server: NodePrograms): string | undefined {
  const matchers = tls.validation?.sanMatchers ?? [];
  const { identity } = server;
  if (matchers.length === 0 || identity === undefined) return undefined;
  if (matchers.some((matcher) => (matcher.type === 'ANY' || matcher.type === 'URI') && matcher.matches(identity)))
    return undefined;
  return `the server is ${identity}, whom the client does not expect there`;
}

function peerTls(identity: string | undefined): PeerTls {
  return {
    authenticated: identity !== undefined,
    uriSans: identity === undefined ? [] : [identity],
    dnsSans: [],
    subject: '',
    localUriSan: '',
    peerFingerprint: '',
    peerCertificatePem: () => '',
    version: 'TLSv1.3',
    cipher: '',
  };
}

function closed(text: string): Verdict {
  const result = ended(undefined, '', '-', '', text);
  return result.kind === 'ended' ? result.verdict : left(text);
}

function left(text: string): Verdict {
  return { reached: true, status: undefined, body: '', flags: '-', details: '', text };
}
