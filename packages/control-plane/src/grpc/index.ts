/** xDS over gRPC. Not part of the package's main module: who does not speak gRPC does not load it. */
export { status as GrpcStatus } from '@grpc/grpc-js';
export { authenticate, checkNode } from '../auth/authenticate.ts';
export { readTokenKeys, TOKEN_AUDIENCE, TokenVerifier } from '../auth/tokens.ts';
export { certificateService } from './certificate-service.ts';
export type { CertificateServiceOptions } from './certificate-service.ts';
export { GrpcXdsListener } from './listener.ts';
export type { ExtraService } from './listener.ts';
export { Refused } from './options.ts';
export type { Authorized, Bind, ConnectedProxy, GrpcXdsOptions } from './options.ts';
export type { ProxyNode } from './node.ts';
export { parseSpiffeId } from './peer.ts';
export type { Peer } from './peer.ts';
export { createWriteBudget } from './write-budget.ts';
