import type { AccessLogSink } from '../http/runtime.ts';
import type { JsonObject } from '@mizzen/xds';
import type { Deps } from '../deps.ts';
import type { BootstrapProgram } from '../process/bootstrap.ts';
import type { Logger } from '../process/logger.ts';
import type { ProxyNode } from '../process/proxy-node.ts';
import type { ControlPlaneStats } from '../xds/source.ts';

/** What the admin endpoint knows of the proxy it belongs to. */
export interface AdminContext {
  readonly node: ProxyNode;
  readonly bootstrap: BootstrapProgram;
  /** The node as management servers are told of it. */
  readonly nodeJson: JsonObject;
  readonly commandLine: JsonObject;
  readonly deps: Deps;
  readonly logger: Logger;
  readonly controlPlane: ControlPlaneStats;
  /** When the proxy started, milliseconds since the epoch. */
  readonly started: number;
  /** Ends the proxy. */
  readonly quit: () => void;
  /** Opens the files of access logs again. */
  readonly reopenLogs: () => void;
  /** Where lines of access logs go, by path. */
  readonly accessLog: (path: string) => AccessLogSink;
}

export type ServerState = 'LIVE' | 'DRAINING' | 'PRE_INITIALIZING' | 'INITIALIZING';

export function serverState({ node }: AdminContext): ServerState {
  if (!node.ready) return node.clustersReady ? 'INITIALIZING' : 'PRE_INITIALIZING';
  return node.healthFailed ? 'DRAINING' : 'LIVE';
}

/** One answer of the admin endpoint. */
export interface AdminAnswer {
  readonly status: number;
  readonly type: 'text/plain' | 'text/plain; charset=UTF-8' | 'application/json' | 'text/html; charset=UTF-8';
  readonly body: string;
}

export function text(body: string, status = 200): AdminAnswer {
  return { status, type: 'text/plain; charset=UTF-8', body };
}

/** JSON as Envoy prints it: one blank of indentation, and nothing that a browser could take for HTML. */
export function json(value: unknown, status = 200): AdminAnswer {
  const body = JSON.stringify(value, undefined, 1).replaceAll('<', '\\u003c').replaceAll('>', '\\u003e');
  return { status, type: 'application/json', body: `${body}\n` };
}
