import type { ProxyProtocolReader } from '../filter/proxy-protocol/filter.ts';
import type { ListenerFilterProgram } from '../program/types.ts';
import { MAX_CLIENT_HELLO, readClientHello } from '../tls/client-hello.ts';
import { refusalOf, tooLarge } from '../tls/not-hello.ts';
import type { Step } from './inspect.ts';

const RECORD_HEADER = 5;

/** Waits for the ClientHello that a handshake begins with. */
export const tlsStep: Step = (bytes, found) => {
  if (bytes.length < RECORD_HEADER) return 'more';
  const result = readClientHello(bytes);
  if (result.kind === 'more') {
    found.notHello = tooLarge(bytes);
    return found.notHello === undefined && bytes.length <= MAX_CLIENT_HELLO ? 'more' : 0;
  }
  if (result.kind === 'hello') {
    found.hello = result.hello;
    return 0;
  }
  const refusal = refusalOf(bytes);
  if (refusal === 'more') return 'more';
  found.notHello = refusal;
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
        if (verdict.metadata !== undefined) found.metadata = { ...found.metadata, ...verdict.metadata };
        return verdict.header.length;
    }
  };
}

/** What a listener's filters do with a connection; undefined: nothing. */
export function stepOf(filter: ListenerFilterProgram): Step | undefined {
  switch (filter.kind) {
    case 'inspector':
      return filter.step;
    case 'proxy_protocol':
      return proxyStep(filter.reader);
    case 'original_dst':
    case 'missing':
      return undefined;
  }
}
