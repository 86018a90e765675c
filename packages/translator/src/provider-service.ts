import type { Service } from '@mizzen/model';
import type { TranslationContext } from './context.ts';

/**
 * The service that an extension provider names: `namespace/hostname`, or a host name that only one namespace has. Who may
 * see the service does not matter.
 */
export function providerService({ model }: TranslationContext, written: string): Service | undefined {
  const slash = written.indexOf('/');
  const hostname = written.slice(slash + 1);
  const named = model.services.filter((service) => service.hostname === hostname);
  if (slash >= 0) return named.find(({ namespace }) => namespace === written.slice(0, slash));
  return new Set(named.map(({ namespace }) => namespace)).size === 1 ? named[0] : undefined;
}
