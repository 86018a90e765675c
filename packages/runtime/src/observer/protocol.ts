import type { NodeTraffic } from '@mizzen/proxy/process/protocol.ts';
import type { LocalMetrics } from '@mizzen/translator';
import type { JsonObject } from '@mizzen/xds';

/** Messages between `mizzen up` and the process that makes Istio's metrics of what Envoys log (Node IPC). */
export type ToObserver =
  /** Always the first message. `path` is the unix socket on which Envoys find it. */
  | { readonly type: 'configure'; readonly path: string }
  | {
      readonly type: 'start';
      readonly node: string;
      readonly metadata: JsonObject;
      /** Where its metrics are to be had. */
      readonly place: LocalMetrics;
      /** The unix socket of its Envoy's admin interface. */
      readonly admin: string;
    }
  /** A proxy that keeps its own metrics; others meet it. */
  | { readonly type: 'peer'; readonly node: string; readonly metadata: JsonObject }
  | { readonly type: 'stop'; readonly node: string };

export type FromObserver =
  /** Envoys can be started. */
  | { readonly type: 'listening' }
  /** Once a second, only nodes that sent something: what, since the last time. */
  | { readonly type: 'traffic'; readonly nodes: readonly NodeTraffic[] }
  | { readonly type: 'log'; readonly node?: string; readonly message: string };
