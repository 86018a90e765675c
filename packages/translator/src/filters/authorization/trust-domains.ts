/**
 * Principals with the trust domain they name, and with every other name of it. `cluster.local` always means the mesh's
 * own; other domains than the mesh's own and its aliases stay as they are, and so does what is no full identity.
 */
export function withTrustDomainAliases(principals: readonly string[], trustDomains: readonly string[]): string[] {
  return principals.flatMap((principal) => {
    const parts = principal.split('/');
    if (parts.length !== 5) return [principal];
    const domain = parts[0] ?? '';
    if (domain !== 'cluster.local' && !trustDomains.some((known) => fits(domain, known))) return [principal];
    const rest = parts.slice(1).join('/');
    return [...new Set(trustDomains.map((known) => (isSuffixOf(domain, known) ? principal : `${known}/${rest}`)))];
  });
}

function fits(pattern: string, domain: string): boolean {
  return (
    pattern === domain ||
    isSuffixOf(pattern, domain) ||
    (pattern.endsWith('*') && domain.startsWith(pattern.slice(0, -1)))
  );
}

function isSuffixOf(pattern: string, domain: string): boolean {
  return pattern.startsWith('*') && domain.endsWith(pattern.slice(1));
}
