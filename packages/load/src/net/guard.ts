import { lookup } from 'node:dns/promises';
import { BlockList, isIP } from 'node:net';

/** An address that the load may not go to. */
export class RemoteRefused extends Error {
  constructor(host: string, address: string) {
    super(host === address ? `${host} is not on this machine` : `\`${host}\` is ${address}, which is not this machine`);
    this.name = 'RemoteRefused';
  }
}

export interface GuardOptions {
  readonly allowRemote: boolean;
  /** Hosts that the mesh serves; they are the sidecar's to find. */
  readonly inMesh?: (host: string, port: number) => boolean;
  readonly resolve?: (host: string) => Promise<readonly string[]>;
}

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4');
LOOPBACK.addAddress('::1', 'ipv6');
// Connecting to the unspecified address is connecting to this machine.
LOOPBACK.addAddress('0.0.0.0', 'ipv4');
LOOPBACK.addAddress('::', 'ipv6');

export function isLoopback(address: string): boolean {
  const family = isIP(address);
  if (family === 0) return false;
  // An IPv4 address written as IPv6 is checked as what it is.
  return LOOPBACK.check(address, family === 4 ? 'ipv4' : 'ipv6');
}

/** Keeps load on this machine and in its mesh. Who connects uses the addresses it answers, so none slips in between. */
export class Guard {
  readonly #allowRemote: boolean;
  readonly #inMesh: (host: string, port: number) => boolean;
  readonly #resolve: (host: string) => Promise<readonly string[]>;

  constructor({ allowRemote, inMesh = () => false, resolve = resolveAll }: GuardOptions) {
    this.#allowRemote = allowRemote;
    this.#inMesh = inMesh;
    this.#resolve = resolve;
  }

  /**
   * The addresses of a host, every one of which may be connected to.
   * @throws RemoteRefused, or the error of the look-up
   */
  async addresses(host: string): Promise<readonly string[]> {
    const bare = host.replace(/^\[(.*)\]$/, '$1');
    const found = isIP(bare) > 0 ? [bare] : await this.#resolve(bare);
    const remote = this.#allowRemote ? undefined : found.find((address) => !isLoopback(address));
    if (remote !== undefined) throw new RemoteRefused(bare, remote);
    return found;
  }

  /**
   * Whether a sidecar may be asked for a host: one of the mesh, or of this machine.
   * @throws RemoteRefused, or the error of the look-up
   */
  async throughMesh(host: string, port: number): Promise<void> {
    if (this.#allowRemote || this.#inMesh(host, port)) return;
    await this.addresses(host);
  }
}

async function resolveAll(host: string): Promise<readonly string[]> {
  try {
    return (await lookup(host, { all: true })).map(({ address }) => address);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw Object.assign(new Error(`there is no host \`${host}\``), { code });
  }
}
