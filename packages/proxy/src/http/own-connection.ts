import type { ConnectionInfo } from '../types.ts';

/** Nobody's: what goes out comes from the proxy itself. */
export const OWN_CONNECTION: ConnectionInfo = {
  id: 0,
  directRemoteAddress: '127.0.0.1',
  remotePort: 0,
  localAddress: '127.0.0.1',
  localPort: 0,
  tls: undefined,
  requestedServerName: '',
  applicationProtocol: '',
};
