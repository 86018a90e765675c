import type { Headers } from './headers.ts';
import { parseRetryOn } from './retry.ts';

/** The first of `names` whose value makes no sense, as a reply; undefined when all do. */
export function strictCheck(
  headers: Headers,
  names: readonly string[],
): { readonly body: string; readonly details: string } | undefined {
  for (const name of names) {
    const value = headers.get(name);
    if (value === undefined || makesSense(name, value)) continue;
    return {
      body: `invalid header '${name}' with value '${value}'`,
      details: `request_headers_failed_strict_check{${name}}`,
    };
  }
  return undefined;
}

function makesSense(name: string, value: string): boolean {
  if (name === 'x-envoy-retry-on' || name === 'x-envoy-retry-grpc-on') {
    const unknown: string[] = [];
    parseRetryOn(value, unknown);
    return unknown.length === 0;
  }
  return /^\d{1,19}$/.test(value);
}
