import type { ListenerFilterProgram } from '../program/types.ts';
import { MAX_CLIENT_HELLO, readClientHello } from '../tls/client-hello.ts';
import { readHttpStart } from './http-start.ts';
import type { Step } from './inspect.ts';
import type { ProxyProtocolReader } from '../filter/proxy-protocol/filter.ts';

/** The TLS inspector. */
export const tlsStep: Step = (bytes, found) => {
  const result = readClientHello(bytes);
  if (result.kind === 'hello') found.hello = result.hello;
  return result.kind === 'more' && bytes.length <= MAX_CLIENT_HELLO ? 'more' : 0;
};

/** The HTTP inspector, which leaves alone what is TLS. */
const httpStep: Step = (bytes, found) => {
  if (found.hello !== undefined) return 0;
  const protocol = readHttpStart(bytes);
  if (protocol === undefined) return 'more';
  found.httpProtocol = protocol;
  return 0;
};

function proxyStep(reader: ProxyProtocolReader): Step {
  return (bytes, found) => {
    const verdict = reader.read(bytes);
    switch (verdict.kind) {
      case 'more':
        return 'more';
      case 'close':
        return 'close';
      case 'without':
        return 0;
      case 'header':
        found.proxy = verdict;
        return verdict.header.length;
    }
  };
}

/** What a listener's filters do with a connection; undefined: nothing. */
export function stepOf(filter: ListenerFilterProgram): Step | undefined {
  switch (filter.kind) {
    case 'tls_inspector':
      return tlsStep;
    case 'http_inspector':
      return httpStep;
    case 'proxy_protocol':
      return proxyStep(filter.reader);
    case 'original_dst':
      return undefined;
  }
}
