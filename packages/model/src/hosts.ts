/** Host names as Istio compares them: exact, or with a leading `*` that stands for anything. */

export function isWildcard(host: string): boolean {
  return host.startsWith('*');
}

/** True when some name fits both; either may be a wildcard. */
export function hostsOverlap(a: string, b: string): boolean {
  if (isWildcard(a)) {
    if (isWildcard(b)) return a.length < b.length ? b.endsWith(a.slice(1)) : a.endsWith(b.slice(1));
    return b.endsWith(a.slice(1));
  }
  return isWildcard(b) ? a.endsWith(b.slice(1)) : a === b;
}

/** True when everything that `host` names is also named by `pattern`. */
export function isSubsetOf(host: string, pattern: string): boolean {
  if (!isWildcard(pattern)) return host === pattern;
  if (isWildcard(host) && host.length < pattern.length) return false;
  return host.endsWith(pattern.slice(1));
}

/** Of the keys that cover `host`, the most specific one: itself, else the longest wildcard. */
export function mostSpecific<T>(host: string, byHost: ReadonlyMap<string, T>): T | undefined {
  const exact = byHost.get(host);
  if (exact !== undefined) return exact;
  let best: T | undefined;
  let length = -1;
  for (const [pattern, value] of byHost) {
    if (isWildcard(pattern) && pattern.length > length && isSubsetOf(host, pattern)) {
      best = value;
      length = pattern.length;
    }
  }
  return best;
}

/** What both `a` and `b` name, as the more specific of the two; undefined when they have nothing in common. */
export function intersectHosts(a: string, b: string): string | undefined {
  if (isSubsetOf(a, b)) return a;
  return isSubsetOf(b, a) ? b : undefined;
}
