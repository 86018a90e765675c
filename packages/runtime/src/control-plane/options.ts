/** What `mizzen control-plane` was asked to do. */
export interface ControlPlaneOptions {
  readonly files: readonly string[];
  readonly meshConfig: string | undefined;
  /** What the file `-` holds. */
  readonly stdin?: string;
  /** Absolute. */
  readonly stateDir: string;
  /** xDS in plain text, on 127.0.0.1. 0: any free port. */
  readonly grpcPort: number;
  /** xDS and certificates over TLS. */
  readonly tlsPort: number;
  /** The address that the TLS port is bound to. */
  readonly tlsHost: string;
  /** Pages about what is served, on 127.0.0.1. */
  readonly httpPort: number;
  /** xDS on a unix socket that only this user can open. */
  readonly socket: string | undefined;
  /** Files with the public keys of whoever issues tokens to proxies. */
  readonly tokenKeys: readonly string[];
  readonly color: boolean;
}

export const DEFAULT_PORTS = { grpc: 15010, tls: 15012, http: 15014 } as const;
