import type { networking } from '@mizzen/api';

/**
 * A root route that names a delegate, replaced by the delegate's routes. Each must stay within what the root matches;
 * one that contradicts the root is left out.
 */
export function mergeDelegate(
  root: networking.HTTPRoute,
  delegate: readonly networking.HTTPRoute[],
): { readonly route: networking.HTTPRoute; readonly index: number }[] {
  const out: { readonly route: networking.HTTPRoute; readonly index: number }[] = [];
  for (const [index, sub] of delegate.entries()) {
    const match = mergeMatches(root.match ?? [], sub.match ?? []);
    if (match === undefined) continue;
    const { delegate: _, ...inherited } = root;
    out.push({ route: { ...inherited, ...sub, match, name: joinNames(root.name, sub.name) }, index });
  }
  return out;
}

function joinNames(root: string | undefined, sub: string | undefined): string | undefined {
  if (sub === undefined || sub === '') return root;
  return root === undefined || root === '' ? sub : `${root}-${sub}`;
}

/** Undefined: some condition of the delegate fits no condition of the root. */
function mergeMatches(
  root: readonly networking.HTTPMatchRequest[],
  sub: readonly networking.HTTPMatchRequest[],
): readonly networking.HTTPMatchRequest[] | undefined {
  if (root.length === 0) return sub;
  if (sub.length === 0) return root;
  const out: networking.HTTPMatchRequest[] = [];
  for (const inner of sub) {
    const fitting = root.filter((outer) => !contradicts(outer, inner));
    if (fitting.length === 0) return undefined;
    for (const outer of fitting) out.push(mergeMatch(outer, inner));
  }
  return out;
}

function mergeMatch(root: networking.HTTPMatchRequest, sub: networking.HTTPMatchRequest): networking.HTTPMatchRequest {
  return {
    ...root,
    ...sub,
    name: joinNames(root.name, sub.name),
    headers: { ...root.headers, ...sub.headers },
    withoutHeaders: { ...root.withoutHeaders, ...sub.withoutHeaders },
    queryParams: { ...root.queryParams, ...sub.queryParams },
    sourceLabels: { ...root.sourceLabels, ...sub.sourceLabels },
    port: sub.port === undefined || sub.port === 0 ? root.port : sub.port,
    gateways: sub.gateways === undefined || sub.gateways.length === 0 ? root.gateways : sub.gateways,
  };
}

function contradicts(root: networking.HTTPMatchRequest, sub: networking.HTTPMatchRequest): boolean {
  for (const field of ['uri', 'scheme', 'method', 'authority'] as const) {
    if (stringsContradict(root[field], sub[field])) return true;
  }
  for (const field of ['headers', 'withoutHeaders', 'queryParams'] as const) {
    for (const [key, value] of Object.entries(sub[field] ?? {})) {
      if (stringsContradict(root[field]?.[key], value)) return true;
    }
  }
  if ((root.ignoreUriCase ?? false) !== (sub.ignoreUriCase ?? false)) return true;
  if (root.port !== undefined && sub.port !== undefined && root.port !== sub.port) return true;
  if (root.sourceNamespace !== undefined && root.sourceNamespace !== '' && sub.sourceNamespace !== root.sourceNamespace)
    return true;
  for (const [key, value] of Object.entries(sub.sourceLabels ?? {})) {
    const outer = root.sourceLabels?.[key];
    if (outer !== undefined && outer !== value) return true;
  }
  const outerGateways = root.gateways ?? [];
  return outerGateways.length > 0 && (sub.gateways ?? []).some((gateway) => !outerGateways.includes(gateway));
}

function stringsContradict(root: networking.StringMatch | undefined, sub: networking.StringMatch | undefined): boolean {
  if (root === undefined || sub === undefined) return false;
  if (root.regex !== undefined || sub.regex !== undefined) return true;
  if (root.exact !== undefined) return sub.exact !== root.exact;
  if (root.prefix === undefined) return true;
  const inner = sub.prefix ?? sub.exact;
  return inner === undefined || !inner.startsWith(root.prefix);
}
