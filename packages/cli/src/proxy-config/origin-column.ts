import { message, type Raw, text } from './read-dump.ts';

const ISTIO_CONFIG = /^\/apis\/networking\.istio\.io\/[^/]+\/namespaces\//;

/**
 * The Istio resource that a route or cluster was made of, as `NAME.NAMESPACE`, from the metadata that istiod and Mizzen
 * leave in it; `<unknown>` for a resource of another kind.
 */
export function managedBy(resource: Raw): string {
  const config = text(message(resource, 'metadata', 'filterMetadata', 'istio'), 'config');
  if (config === '') return '';
  if (!ISTIO_CONFIG.test(config)) return '<unknown>';
  const pieces = config.split('/');
  return pieces.length === 8 ? `${pieces[7]}.${pieces[5]}` : '';
}
