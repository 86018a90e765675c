/** node:http2, loaded when somebody speaks it: most proxies of a laptop never do. */
import type * as Http2 from 'node:http2';

let loaded: typeof Http2 | undefined;

export function http2(): typeof Http2 {
  return (loaded ??= process.getBuiltinModule('node:http2'));
}
