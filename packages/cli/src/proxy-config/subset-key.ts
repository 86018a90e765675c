/** What an Istio cluster name says: `DIRECTION|PORT|SUBSET|HOST`. */
export interface SubsetKey {
  readonly direction: string;
  readonly port: number;
  readonly subset: string;
  readonly host: string;
}

/** Undefined for names of another kind, `BlackHoleCluster` say. */
export function parseSubsetKey(name: string): SubsetKey | undefined {
  if (name.split('|').length < 4) return undefined;
  const [direction = '', port = '', subset = '', ...host] = name.split('|');
  const number = /^[+-]?\d+$/.test(port) ? Number(port) : 0;
  return { direction, port: number, subset, host: host.length === 1 ? host[0]! : '' };
}

/** By host, subset, port and direction. */
export function lessByKey(a: string, b: string): boolean {
  const [x, y] = [keyOrName(a), keyOrName(b)];
  if (x.host !== y.host) return x.host < y.host;
  if (x.subset !== y.subset) return x.subset < y.subset;
  if (x.port !== y.port) return x.port < y.port;
  return x.direction < y.direction;
}

function keyOrName(name: string): SubsetKey {
  return parseSubsetKey(name) ?? { direction: '', port: 0, subset: '', host: name };
}
