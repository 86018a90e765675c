import { describe, expect, it } from 'vitest';
import { protocolOf, servicePortProtocol } from './protocol.ts';

describe('the protocol of a service port', () => {
  it.each([
    [{ port: 80, name: 'http' }, 'http'],
    [{ port: 80, name: 'http-web' }, 'http'],
    [{ port: 80, name: 'HTTP2' }, 'http2'],
    [{ port: 80, name: 'grpc-web' }, 'grpc-web'],
    [{ port: 80, name: 'grpc-web-x' }, 'grpc-web'],
    [{ port: 80, name: 'grpc' }, 'grpc'],
    [{ port: 80, name: 'web' }, 'auto'],
    [{ port: 80, name: 'web-http' }, 'auto'],
    [{ port: 80 }, 'auto'],
    [{ port: 443, name: 'https' }, 'https'],
    [{ port: 3306 }, 'tcp'],
    [{ port: 3306, name: 'http' }, 'http'],
    [{ port: 3306, name: 'mysql' }, 'mysql'],
    [{ port: 80, name: 'tcp', appProtocol: 'http' }, 'http'],
    [{ port: 80, name: 'http', appProtocol: 'unheard-of' }, 'auto'],
    [{ port: 80, name: 'http', appProtocol: 'kubernetes.io/h2c' }, 'http2'],
    [{ port: 80, appProtocol: 'kubernetes.io/wss' }, 'https'],
    [{ port: 53, name: 'http', protocol: 'UDP' as const }, 'udp'],
  ])('%j is %s', (port, protocol) => expect(servicePortProtocol(port)).toBe(protocol));

  it('is what a ServiceEntry says, in any case', () => {
    expect(protocolOf('TLS')).toBe('tls');
    expect(protocolOf(undefined)).toBe('auto');
  });
});
