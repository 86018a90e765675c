import { generateKeyPairSync } from 'node:crypto';
import type { SecureContextOptions } from 'node:tls';
import { certify } from '@mizzen/control-plane';
import type { Clock, Root, Timer } from '@mizzen/control-plane';

const DAY = 24 * 3600 * 1000;
const LIFETIME = 30 * DAY;

/** Names that proxies know istiod by. */
function namesFor(rootNamespace: string): string[] {
  const service = ['istiod', 'istio-pilot'].flatMap((name) => [
    name,
    `${name}.${rootNamespace}`,
    `${name}.${rootNamespace}.svc`,
    `${name}.${rootNamespace}.svc.cluster.local`,
  ]);
  return [...service, 'localhost'];
}

/** The certificate that the TLS port shows, of the mesh's own authority. It is renewed long before its end. */
export class ServerCertificate {
  readonly #root: Root;
  readonly #clock: Clock;
  readonly #hosts: readonly string[];
  #timer: Timer | undefined;

  constructor(root: Root, clock: Clock, rootNamespace: string) {
    this.#root = root;
    this.#clock = clock;
    this.#hosts = namesFor(rootNamespace);
  }

  issue(): SecureContextOptions {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const names = { hosts: this.#hosts, addresses: ['127.0.0.1'] };
    const { chain } = certify(this.#root, publicKey, names, this.#clock.wall(), LIFETIME);
    const key = privateKey.export({ type: 'pkcs8', format: 'pem' });
    return { cert: chain + this.#root.pem, key, ca: this.#root.pem, minVersion: 'TLSv1.2' };
  }

  /** Calls `renew` with a new one each time the old one is half through its life. */
  follow(renew: (tls: SecureContextOptions) => void): void {
    // Timers hold at most 24 days.
    this.#timer = this.#clock.after(LIFETIME / 2, () => {
      renew(this.issue());
      this.follow(renew);
    });
  }

  close(): void {
    this.#timer?.cancel();
  }
}
