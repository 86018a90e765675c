import { isIP } from 'node:net';
import type { types } from '@mizzen/xds';
import { isAbstract } from '../unix-socket.ts';
import type { CompileContext } from './context.ts';
import type { Path } from './path.ts';
import type { AddressProgram } from './types.ts';

/** Bytes that there is room for in the address of a unix socket. */
const MAX_PATH = 107;

/** Undefined after a refusal. */
export function compileAddress(
  context: CompileContext,
  address: types.core.Address | undefined,
  path: Path,
  /** Datagrams go there. */
  datagrams = false,
): AddressProgram | undefined {
  if (address?.socketAddress !== undefined) {
    const { address: host = '', portValue = 0, ipv4Compat = false } = address.socketAddress;
    if (!datagrams) checkProtocol(context, address.socketAddress, [...path, 'socketAddress']);
    if (host === '') context.refuse([...path, 'socketAddress', 'address'], 'must not be empty');
    if (portValue > 65535) context.refuse([...path, 'socketAddress', 'portValue'], 'must be at most 65535');
    return { kind: 'socket', address: host, port: portValue, ipv4Compat };
  }
  if (address?.pipe !== undefined) {
    const { path: file = '', mode = 0 } = address.pipe;
    if (file === '') context.refuse([...path, 'pipe', 'path'], 'must not be empty');
    if (Buffer.byteLength(file) > MAX_PATH)
      context.refuse([...path, 'pipe', 'path'], `must have at most ${MAX_PATH} bytes`);
    if (isAbstract(file) && mode !== 0)
      context.refuse([...path, 'pipe', 'mode'], 'says nothing of a socket that is in no folder');
    if (mode > 0o777) context.refuse([...path, 'pipe', 'mode'], 'must be at most 0777');
    return { kind: 'pipe', path: file, mode };
  }
  if (address?.envoyInternalAddress !== undefined) {
    const name = address.envoyInternalAddress.serverListenerName ?? '';
    if (name === '') context.refuse([...path, 'envoyInternalAddress', 'serverListenerName'], 'must not be empty');
    return { kind: 'internal', name };
  }
  context.refuse(path, 'must be there');
  return undefined;
}

/** Where the proxy itself is to listen: names of hosts say nothing of that. */
export function compileOwnAddress(
  context: CompileContext,
  address: types.core.Address | undefined,
  path: Path,
): AddressProgram | undefined {
  const own = compileAddress(context, address, path);
  if (own?.kind === 'socket' && own.address !== '' && isIP(own.address) === 0)
    context.refuse([...path, 'socketAddress', 'address'], `\`${own.address}\` is not an IP address`);
  if (own?.kind === 'socket' && own.ipv4Compat && !/^::(ffff:.*)?$/i.test(own.address))
    context.refuse([...path, 'socketAddress', 'ipv4Compat'], 'goes with `::` and with IPv4 addresses in IPv6 alone');
  return own;
}

export function checkProtocol(context: CompileContext, address: types.core.SocketAddress, path: Path): void {
  if (address.protocol === 'UDP') context.refuse([...path, 'protocol'], '`UDP`: only TCP is served');
}
