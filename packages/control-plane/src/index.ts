export type { Clock, Timer } from './clock.ts';
export { CaError } from './ca/error.ts';
export { spiffeId } from './ca/identity.ts';
export type { Identity } from './ca/identity.ts';
export { certify, issue } from './ca/authority.ts';
export type { IssuedCertificate } from './ca/authority.ts';
export { loadOrCreateRoot } from './ca/root.ts';
export type { Root } from './ca/root.ts';
export { ROOT_SECRET, WORKLOAD_SECRET, WorkloadSecrets, type HeldCertificate } from './ca/workload-secrets.ts';
export { ControlPlaneMetrics } from './metrics/control-plane-metrics.ts';
export type { Inventory } from './metrics/control-plane-metrics.ts';
export type { CertificateObserver, XdsObserver } from './metrics/observer.ts';
export { Registry } from './metrics/registry.ts';
export type { Readings } from './metrics/registry.ts';
export { XdsServer } from './xds/server.ts';
export type { CommitOptions, Convergence, XdsServerOptions } from './xds/server.ts';
export type { XdsStream } from './xds/stream.ts';
export type {
  DeltaRequest,
  DeltaResponse,
  NodeConfig,
  ProxyStatus,
  Refusal,
  SecretAnswer,
  SyncState,
  Transport,
} from './xds/types.ts';
export { localXdsPath, makePrivateDirectory } from './local/path.ts';
export { LocalXdsError, LocalXdsListener } from './local/server.ts';
export type { LocalXdsOptions } from './local/server.ts';
export { resolveCredential } from './ca/credentials.ts';
export type { Credential, ReadData } from './ca/credentials.ts';
export { answerDebug } from './debug/answer.ts';
export type { DebugAnswer, DebugSource } from './debug/answer.ts';
export { adsBootstrap, configDump, namedSecrets, secretNames } from './debug/config-dump.ts';
export type { ConfigDumpOptions } from './debug/config-dump.ts';
export { proxyEndpoints } from './debug/endpointz.ts';
export type { ServiceEndpoint, ServiceEndpoints } from './debug/endpointz.ts';
export { proxyId, SHORT_TYPES, syncz, synczOf } from './debug/syncz.ts';
export type { Difference, MizzenSync, SyncStatus } from './debug/syncz.ts';
export type { ConfigDump, DebugProxy, DescribedRefusal, NamedSecret, ProxyNode } from './debug/types.ts';
export { contentVersion } from './xds/resource.ts';
export type { TypeSync } from './xds/type-state.ts';
