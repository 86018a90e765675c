import { connect, type Socket } from 'node:net';
import { connect as secure } from 'node:tls';
import type { Guard } from './guard.ts';
import { tunnel } from './tunnel.ts';

/** Where connections go. */
export type Via =
  | { readonly kind: 'direct' }
  /** To the sidecar of a workload, which finds the host. */
  | { readonly kind: 'sidecar'; readonly host: string; readonly port: number }
  /** To one address, whatever the host is: a gateway. */
  | { readonly kind: 'gateway'; readonly host: string; readonly port: number };

export interface Tls {
  readonly insecure: boolean;
  readonly ca: string | undefined;
}

export interface Destination {
  readonly host: string;
  readonly port: number;
  readonly secure: boolean;
  readonly alpn: readonly string[];
}

export interface DialerOptions {
  readonly guard: Guard;
  readonly via: Via;
  readonly tls: Tls;
}

/** Opens connections, to where load may go only. */
export class Dialer {
  readonly via: Via;
  readonly guard: Guard;
  readonly tls: Tls;

  constructor({ guard, via, tls }: DialerOptions) {
    this.guard = guard;
    this.via = via;
    this.tls = tls;
  }

  /**
   * A connection on which `destination` answers: to itself, or by a tunnel through the sidecar.
   * @throws RemoteRefused and what connecting throws
   */
  async dial(destination: Destination): Promise<Socket> {
    const socket = await this.#plain(destination);
    return destination.secure ? this.#encrypted(socket, destination) : socket;
  }

  /** A connection to the sidecar itself, for requests in absolute form. */
  async dialSidecar({ host, port }: Destination): Promise<Socket> {
    const { via } = this;
    if (via.kind !== 'sidecar') throw new Error('there is no sidecar');
    await this.guard.throughMesh(host, port);
    return open(await this.guard.addresses(via.host), via.port);
  }

  async #plain(destination: Destination): Promise<Socket> {
    const { via } = this;
    if (via.kind === 'gateway') return open(await this.guard.addresses(via.host), via.port);
    if (via.kind === 'direct') return open(await this.guard.addresses(destination.host), destination.port);
    return tunnel(await this.dialSidecar(destination), `${destination.host}:${destination.port}`);
  }

  #encrypted(socket: Socket, { host, alpn }: Destination): Promise<Socket> {
    const { insecure, ca } = this.tls;
    const name = host.replace(/^\[(.*)\]$/, '$1');
    return new Promise((resolve, reject) => {
      const options = { socket, host: name, ALPNProtocols: [...alpn], rejectUnauthorized: !insecure };
      const encrypted = secure({
        ...options,
        ...(/^[\d.]+$|:/.test(name) ? {} : { servername: name }),
        ...(ca === undefined ? {} : { ca }),
      });
      const [wanted] = alpn;
      const notTaken = (): Error => new Error(`the server does not take ${wanted === 'h2' ? 'HTTP/2' : 'HTTP/1.1'}`);
      const failed = (error: NodeJS.ErrnoException): void =>
        reject(error.code === 'ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL' ? notTaken() : error);
      encrypted.once('error', failed);
      encrypted.once('secureConnect', () => {
        encrypted.off('error', failed);
        if (wanted === 'h2' && encrypted.alpnProtocol !== 'h2') {
          encrypted.destroy();
          reject(notTaken());
        } else resolve(encrypted);
      });
    });
  }
}

/** To the first address that takes a connection. */
async function open(addresses: readonly string[], port: number): Promise<Socket> {
  let failure: unknown = new Error('unknown host');
  for (const address of addresses) {
    try {
      return await openOne(address, port);
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}

function openOne(host: string, port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, noDelay: true });
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.off('error', reject);
      resolve(socket);
    });
  });
}
