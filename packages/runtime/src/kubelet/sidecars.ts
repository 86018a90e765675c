import type { JsonObject } from '@mizzen/xds';

/** The data plane, as far as pods need it. A node stays until stopped, whatever happens to the process that hosts it. */
export interface Sidecars {
  /** Resolves once the node has its first configuration and its listeners are bound. Again: replaces its metadata. */
  start(node: string, metadata: JsonObject, accessLog: string): Promise<void>;
  /** Resolves once its listeners and connections are closed; at once when the data plane is not there. */
  stop(node: string, drainMs: number): Promise<void>;
}
