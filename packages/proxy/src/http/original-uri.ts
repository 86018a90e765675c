import type { RequestHead } from '../types.ts';

/** Where a request went before its path was changed, with so much of the path at most. */
export function originalUri({ headers, path, scheme, authority, method }: RequestHead, maxPathLength = 256): string {
  if (method === 'CONNECT' && path === '') return '';
  const original = headers.get('x-envoy-original-path') ?? path;
  return `${scheme}://${authority}${original.slice(0, maxPathLength)}`;
}
