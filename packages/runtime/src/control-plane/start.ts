import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadOrCreateRoot, Registry } from '@mizzen/control-plane';
import type { Clock, Refusal } from '@mizzen/control-plane';
import {
  GrpcXdsListener,
  TokenVerifier,
  certificateService,
  createWriteBudget,
} from '@mizzen/control-plane/grpc/index.ts';
import type { ConnectedProxy, ExtraService, GrpcXdsOptions } from '@mizzen/control-plane/grpc/index.ts';
import { serviceEndpoints } from '../api/service-endpoints.ts';
import { systemClock } from '../control/clock.ts';
import { LastGood } from '../control/last-good.ts';
import { xdsTypeOf } from '../control/refusals.ts';
import { addCertificateExpiry } from '../metrics/certificate-expiry.ts';
import { rejectedConfigs } from '../metrics/rejected.ts';
import { controlPlaneMetrics } from '../metrics/control-plane.ts';
import { describeHolder, portHolder } from '../supervisor/port-holder.ts';
import { Access } from './access.ts';
import { DebugServer } from './debug-server.ts';
import type { MeshChange } from './mesh-files.ts';
import type { ControlPlaneOptions } from './options.ts';
import { ConnectedProxies } from './proxies.ts';
import { ServerCertificate } from './server-certificate.ts';
import { Seldom } from './seldom.ts';
import { ownTokenKeys, readTokenKeyFiles } from './token-issuer.ts';
import { visible } from './visible.ts';
import { describeConvergence, watchMesh } from './watch.ts';
import { WorkloadMetrics } from './workload-metrics.ts';

/** What happens, for whoever prints it. */
export type ControlPlaneEvent =
  | ({ readonly kind: 'change' } & Omit<MeshChange, 'notices' | 'resources'>)
  | { readonly kind: 'info' | 'warning'; readonly text: string };

export interface RunningControlPlane {
  readonly ports: { readonly grpc: number; readonly tls: number; readonly http: number };
  close(): Promise<void>;
}

/** @throws Error with the text to print when it cannot run. */
export async function startControlPlane(
  options: ControlPlaneOptions,
  tell: (event: ControlPlaneEvent) => void,
  clock: Clock = systemClock,
): Promise<RunningControlPlane> {
  const { stateDir } = options;
  const root = openRoot(stateDir, clock);
  const tokens = new TokenVerifier([...ownTokenKeys(stateDir), ...readTokenKeyFiles(options.tokenKeys)], clock);
  const info = (text: string): void => tell({ kind: 'info', text });
  const warn = (text: string): void => tell({ kind: 'warning', text });
  const seldom = new Seldom<Extract<ControlPlaneEvent, { readonly text: string }>>(
    clock,
    ({ kind, text }) => tell({ kind, text: visible(text) }),
    (count) => warn(`${count} lines about proxies were left out: there were too many at once`),
  );
  const ofClients = {
    info: (text: string): void => seldom.tell({ kind: 'info', text }),
    warn: (text: string): void => seldom.tell({ kind: 'warning', text }),
  };
  const say = ({ notices, added, changed, removed, rendered }: MeshChange): void => {
    for (const text of notices) info(text);
    tell({ kind: 'change', added, changed, removed, rendered });
  };

  const mesh = await watchMesh(options, {
    clock,
    lastGood: new LastGood(join(stateDir, 'control-plane-last-good.json'), warn),
    onError: (error) => warn(`changes of files may go unnoticed: ${error.message}`),
  });
  const { files } = mesh;
  const metrics = controlPlaneMetrics(clock, root);
  const first = files.first();
  say(first);
  metrics.onResources(first.resources);
  const proxies = new ConnectedProxies(files.model, {
    clock,
    root,
    metrics,
    onRefusal: ({ id }, refusal, place) => ofClients.warn(`${id} refuses ${describe(refusal, place)}`),
    onWithheld: ({ id }, secret, reason) => ofClients.warn(`${id} does not get the secret \`${secret}\`: ${reason}`),
    onFailure: ({ id }, error) => warn(`cannot translate for ${id}: ${stackOf(error)}`),
  });
  metrics.follow({
    versions: () => proxies.versions(),
    refusals: () => proxies.refusals(),
    services: () => files.model.services.length,
    virtualServices: () => files.model.snapshot.list('VirtualService').length,
    rejected: () => rejectedConfigs(files.result),
  });
  mesh.follow((change, startedAt) => {
    say(change);
    metrics.onChange('config');
    metrics.onResources(change.resources);
    metrics.onModel(files.modelTime);
    const changed = change.added.length + change.changed.length + change.removed.length > 0;
    proxies.update(files.model, startedAt, (convergence) => {
      const text = changed ? describeConvergence(convergence, proxies.size) : undefined;
      if (text !== undefined) info(text);
    });
  });

  const access = new Access(tokens, () => files.model);
  const workloads = new WorkloadMetrics({
    clock,
    authorize: (node, peer) => access.authorize(node, peer),
    onProblem: ofClients.warn,
  });
  const expiry = new Registry(Infinity);
  addCertificateExpiry(expiry, () => proxies.certificates(), clock);
  let streams = 0;
  const common: Omit<GrpcXdsOptions, 'bind'> = {
    server: proxies.server,
    clock,
    budget: createWriteBudget(clock),
    authorize: (node, peer) => access.authorize(node, peer),
    // A node may have several streams, each with what it proved.
    keyOf: ({ id }) => `${id}-${(streams += 1)}`,
    onNode: (proxy) => {
      ofClients.info(`${proxy.node.id} connected: ${howItCame(proxy)}`);
      metrics.onChange('proxy');
      workloads.connect(proxy.node);
      proxies.connect(proxy, access.nodeOf(proxy.node));
    },
    onGone: (proxy) => {
      proxies.disconnect(proxy);
      workloads.disconnect(proxy.node);
      ofClients.info(`${proxy.node.id} disconnected`);
    },
    onProblem: ofClients.warn,
  };
  const certificate = new ServerCertificate(root, clock, files.model.rootNamespace);
  const certificates = certificateService({
    root,
    clock,
    authenticate: (peer) => access.authenticate(peer),
    peerOf: (call) => secure.peerOf(call),
    onIssued: (identity, notAfter) =>
      ofClients.info(`certificate for ${identity} until ${new Date(notAfter).toISOString()}`),
    onProblem: ofClients.warn,
    observer: metrics,
  });
  /** Each port takes what its proxies log, too. */
  const listener = (own: Pick<GrpcXdsOptions, 'bind' | 'tls'>, ...services: ExtraService[]): GrpcXdsListener => {
    const logs = workloads.service((call) => made.peerOf(call));
    const made: GrpcXdsListener = new GrpcXdsListener({ ...common, ...own }, [...services, logs]);
    return made;
  };
  const plain = listener({ bind: { host: '127.0.0.1', port: options.grpcPort } });
  const bind = { host: options.tlsHost, port: options.tlsPort };
  const secure: GrpcXdsListener = listener({ bind, tls: certificate.issue() }, certificates);
  const { socket } = options;
  const local = socket === undefined ? [] : [listener({ bind: { path: socket } })];
  const debug = new DebugServer(options.httpPort, {
    proxies: () => proxies.debug(),
    endpoints: () => serviceEndpoints(files.model),
    metrics: () => metrics.text(),
    workloadMetrics: () => workloads.text() + expiry.text(),
  });

  const close = async (): Promise<void> => {
    mesh.close();
    certificate.close();
    await Promise.all([...[plain, secure, ...local].map((each) => each.close()), debug.close()]);
    proxies.close();
    workloads.close();
  };
  try {
    const ports = {
      grpc: await listen(plain, options.grpcPort, '--grpc-port'),
      tls: await listen(secure, options.tlsPort, '--tls-port', options.tlsHost),
      http: await listen(debug, options.httpPort, '--http-port'),
    };
    for (const each of local) await each.listen();
    certificate.follow((tls) => secure.setCertificate(tls));
    return { ports, close };
  } catch (error) {
    await close();
    throw error;
  }
}

function openRoot(stateDir: string, clock: Clock): ReturnType<typeof loadOrCreateRoot> {
  try {
    mkdirSync(stateDir, { recursive: true, mode: 0o700 });
    const root = loadOrCreateRoot(join(stateDir, 'ca'), 'cluster.local', clock.wall());
    // For proxies elsewhere: beside it is the root with its key, which is never to leave this machine.
    writeFileSync(join(stateDir, 'ca/root-cert.pem'), root.pem, { mode: 0o600 });
    return root;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`the state directory \`${stateDir}\` cannot be used: ${reason}; choose another with --state-dir`, {
      cause: error,
    });
  }
}

async function listen(
  server: { listen(): Promise<number> },
  port: number,
  flag: string,
  host = '127.0.0.1',
): Promise<number> {
  try {
    return await server.listen();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOTFOUND' || code === 'EADDRNOTAVAIL') {
      throw new Error(`cannot listen on ${host}: ${message}; choose another with --tls-host`, { cause: error });
    }
    const help = `choose another with ${flag}`;
    if (code === 'EADDRINUSE') {
      throw new Error(`port ${port} is taken by ${describeHolder(portHolder(port, host))}; ${help}`, { cause: error });
    }
    throw new Error(`cannot listen on port ${port}: ${message}; ${help}`, { cause: error });
  }
}

/** Type, name, field, reason, and the line of YAML that it came from. */
function describe(
  { typeUrl, resource, field, message }: Refusal,
  place: { readonly file: string; readonly line: number } | undefined,
): string {
  const where = place === undefined ? '' : ` (from ${place.file}:${place.line})`;
  const what = field === '' ? '' : `\`${field}\`: `;
  return `${xdsTypeOf(typeUrl) ?? typeUrl} \`${resource}\`: ${what}${message}${where}`;
}

function howItCame({ peer, identity, protocol, node }: ConnectedProxy): string {
  const { namespace, serviceAccount } = identity ?? {};
  const who =
    identity === undefined
      ? 'has not proved who it is'
      : `${namespace}/${serviceAccount} by ${peer.kind !== 'tls' ? 'its user' : peer.identity === undefined ? 'token' : 'certificate'}`;
  return `${who}, ${protocol}${node.version === '' ? '' : `, Envoy ${node.version}`}`;
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
