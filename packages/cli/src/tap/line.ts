import type { RequestAnswer } from '@mizzen/runtime/api/types.ts';
import type { Style } from '@mizzen/runtime/terminal/style.ts';

export interface Wanted {
  /** Undefined: both. */
  readonly direction: RequestAnswer['direction'] | undefined;
  /** As from `pathPattern`. */
  readonly path: RegExp | undefined;
  /** In capitals; none: all. */
  readonly methods: readonly string[];
  /** `503` or `5xx`; none: all. */
  readonly statuses: readonly string[];
  /** Undefined: of all pods. */
  readonly pod: string | undefined;
}

/** Of a path without its query: what it begins with or, with `*` for anything, all of it. */
export function pathPattern(written: string): RegExp {
  const parts = written.split('*').map((each) => RegExp.escape(each));
  return new RegExp(parts.length === 1 ? `^${parts[0]}` : `^${parts.join('.*')}$`);
}

export function isWanted(request: RequestAnswer, { direction, path, methods, statuses, pod }: Wanted): boolean {
  if (direction !== undefined && request.direction !== direction) return false;
  if (pod !== undefined && request.pod !== pod) return false;
  if (path !== undefined && !path.test(request.path.split('?', 1)[0]!)) return false;
  if (methods.length > 0 && !methods.includes(request.method)) return false;
  const status = String(request.status);
  return statuses.length === 0 || statuses.some((each) => each === status || each === `${status[0]}xx`);
}

/** Time, direction, peer, request, status, flags, duration and what `mizzen traces` takes. */
export function requestLine(request: RequestAnswer, style: Style): string {
  const { time, direction, method, authority, path, status, flags, duration, traceId, requestId } = request;
  const asked = method === '' ? 'TCP' : `${method} ${authority}${path}`;
  const answered = `${method === '' ? '' : `${status} `}${flags || '-'}`;
  const failed = status >= 500 || (method !== '' && status === 0) || (method === '' && flags !== '');
  return [
    style('dim', time.slice(11, 23)),
    direction === 'inbound' ? 'in ' : 'out',
    peerOf(request).padEnd(PEER),
    asked,
    failed ? style('red', answered) : status >= 400 ? style('yellow', answered) : answered,
    `${duration}ms`,
    style('dim', traceId || requestId || '-'),
  ].join('  ');
}

const PEER = 20;

function peerOf({ peer, address }: RequestAnswer): string {
  const [namespace, name] = peer.split('/');
  if (name !== undefined) return namespace === 'default' ? name : `${name}.${namespace}`;
  return address || '-';
}
