import type { Protocol } from '@mizzen/model';
import type { TranslationContext } from '../context.ts';
import { connectionSettings } from '../filters/connection-settings.ts';
import { proxyHeaders } from '../filters/proxy-config.ts';
import type { ClusterDraft } from './draft.ts';

/** Whether ProxyConfig wants the names of headers kept as they are written; only HTTP/1 can. */
export function keepsCase(context: TranslationContext, protocol: Protocol): boolean {
  return (protocol === 'http' || protocol === 'auto') && proxyHeaders(context).preserveHttp1HeaderCase === true;
}

/** ProxyConfig's limit of what may wait in a connection. */
export function setBuffer(context: TranslationContext, { cluster }: ClusterDraft): void {
  const bytes = connectionSettings(context).clusterPerConnectionBufferLimitBytes;
  if (bytes !== undefined && bytes > 0) cluster.perConnectionBufferLimitBytes = bytes;
}

/** All that clusters depend on in the ProxyConfig of a proxy. */
export function proxySettingsKey(context: TranslationContext): string {
  const bytes = connectionSettings(context).clusterPerConnectionBufferLimitBytes ?? 0;
  return `${proxyHeaders(context).preserveHttp1HeaderCase === true} ${bytes}`;
}
