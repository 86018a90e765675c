import type { networking } from '@mizzen/api';

/** The hosts that a VirtualService leads to from `namespace`, and for each the ports named; 0 stands for any. */
export function destinations(
  spec: networking.VirtualService,
  namespace: string,
): ReadonlyMap<string, ReadonlySet<number>> {
  const out = new Map<string, Set<number>>();
  const note = (to: networking.Destination | undefined): void => {
    if (to?.host === undefined) return;
    const ports = out.get(to.host) ?? new Set();
    out.set(to.host, ports.add(to.port?.number ?? 0));
  };
  const fits = (matches: readonly { readonly sourceNamespace?: string }[] = []): boolean =>
    matches.length === 0 || matches.some(({ sourceNamespace: from = '' }) => from === '' || from === namespace);
  for (const http of spec.http ?? []) {
    if (!fits(http.match)) continue;
    for (const to of http.route ?? []) note(to.destination);
    note(http.mirror);
    for (const to of http.mirrors ?? []) note(to.destination);
  }
  for (const bytes of [...(spec.tls ?? []), ...(spec.tcp ?? [])]) {
    if (fits(bytes.match)) for (const to of bytes.route ?? []) note(to.destination);
  }
  return out;
}
