import { TypeUrl } from '@mizzen/xds';
import type { Nack } from '../../types.ts';

const WORDS: Readonly<Record<string, string>> = {
  [TypeUrl.listener]: 'listener(s)',
  [TypeUrl.cluster]: 'cluster(s)',
  [TypeUrl.route]: 'route(s)',
  [TypeUrl.endpoint]: 'endpoint(s)',
  [TypeUrl.secret]: 'secret(s)',
};

/** Every refused resource with the fields it is refused for, in the form that Envoy gives to such messages. */
export function refusalText(typeUrl: string, nacks: readonly Nack[]): string {
  const byResource = new Map<string, string[]>();
  for (const { resource, field, message } of nacks) {
    const reasons = byResource.get(resource) ?? [];
    reasons.push(field === '' ? message : `${field}: ${message}`);
    byResource.set(resource, reasons);
  }
  const parts = [...byResource].map(([resource, reasons]) => `${resource}: ${reasons.join('; ')}`);
  const between = typeUrl === TypeUrl.cluster ? ', ' : '\n';
  return `Error adding/updating ${WORDS[typeUrl] ?? 'resource(s)'} ${parts.join(between)}`;
}
