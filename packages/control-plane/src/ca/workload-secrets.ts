import { hash } from 'node:crypto';
import type { Secret } from '@mizzen/xds';
import type { Clock, Timer } from '../clock.ts';
import type { CertificateObserver } from '../metrics/observer.ts';
import type { SecretAnswer } from '../xds/types.ts';
import { DAY, issue } from './authority.ts';
import { spiffeId } from './identity.ts';
import type { Identity } from './identity.ts';
import type { Root } from './root.ts';

/** Names under which Istio's proxies ask for their own certificate and for the mesh's trust anchors. */
export const WORKLOAD_SECRET = 'default';
export const ROOT_SECRET = 'ROOTCA';

/** Part of a certificate's life after which it is replaced. */
const ROTATE_AFTER = 0.8;

export interface WorkloadSecretsOptions {
  readonly root: Root;
  readonly clock: Clock;
  /** Life of a workload certificate in milliseconds; 24 hours unless given. */
  readonly lifetime?: number;
  /** Called when a node should be given a new certificate. */
  readonly onRotate: (node: string) => void;
  readonly observer?: CertificateObserver | undefined;
}

/** What a proxy has, without its key. */
export interface HeldCertificate {
  readonly node: string;
  /** Milliseconds since the Unix epoch. */
  readonly rotateAt: number;
  /** PEM, its own first; undefined when an earlier process issued it. */
  readonly chain: string | undefined;
}

interface Held {
  readonly id: string;
  /** Undefined: issued by an earlier process; the proxy has it and this process does not. */
  readonly secret: Secret | undefined;
  readonly version: string;
  readonly rotateAt: number;
  timer: Timer | undefined;
}

/**
 * Certificates of the proxies of one mesh: issued when a proxy first asks, replaced at 80 % of their life. Private keys
 * are kept in memory only. The version carries identity, issuer and end of life, so that after a restart of this process
 * a proxy that still holds a good certificate keeps it.
 */
export class WorkloadSecrets {
  readonly #options: WorkloadSecretsOptions;
  readonly #lifetime: number;
  readonly #held = new Map<string, Held>();
  /** Nodes that must not keep what they have. */
  readonly #renew = new Set<string>();
  readonly #rootVersion: string;
  readonly #rootSecret: Secret;

  constructor(options: WorkloadSecretsOptions) {
    this.#options = options;
    this.#lifetime = options.lifetime ?? DAY;
    this.#rootSecret = {
      name: ROOT_SECRET,
      validationContext: { trustedCa: { inlineBytes: Buffer.from(options.root.pem).toString('base64') } },
    };
    this.#rootVersion = hash('sha256', options.root.certificate.raw, 'base64url').slice(0, 22);
  }

  /** `have` is the version the proxy holds, if any. Undefined: no such secret. */
  resolve(node: string, identity: Identity, name: string, have: string | undefined): SecretAnswer {
    if (name === ROOT_SECRET) return { version: this.#rootVersion, secret: this.#rootSecret };
    if (name !== WORKLOAD_SECRET) return undefined;
    const id = this.#identify(identity);
    let held = this.#held.get(node);
    if (held !== undefined && (held.id !== id || this.#options.clock.wall() >= held.rotateAt)) {
      this.forget(node);
      held = undefined;
    }
    if (held?.secret === undefined && held?.version !== have) held = undefined;
    const mayKeep = have !== undefined && !this.#renew.has(node);
    held ??= (mayKeep ? this.#adopt(node, id, have) : undefined) ?? this.#issue(node, id, identity);
    return held.secret === undefined ? 'keep' : { version: held.version, secret: held.secret };
  }

  /** Certificates that proxies have. */
  held(): HeldCertificate[] {
    return [...this.#held].map(([node, { secret, rotateAt }]) => {
      const chain = secret?.tlsCertificate?.certificateChain?.inlineBytes;
      return { node, rotateAt, chain: chain === undefined ? undefined : Buffer.from(chain, 'base64').toString() };
    });
  }

  /** Makes a new certificate for the node (or, without one, for every node) at its next request, and asks for it. */
  rotate(node?: string): void {
    const nodes = node === undefined ? [...this.#held.keys()] : [node];
    for (const each of nodes) {
      this.forget(each);
      this.#renew.add(each);
    }
    for (const each of nodes) this.#options.onRotate(each);
  }

  /** The proxy is gone. */
  forget(node: string): void {
    this.#held.get(node)?.timer?.cancel();
    this.#held.delete(node);
    this.#renew.delete(node);
  }

  close(): void {
    for (const node of this.#held.keys()) this.forget(node);
  }

  #identify(identity: Identity): string {
    return hash('sha256', `${this.#rootVersion} ${spiffeId(identity)}`, 'base64url').slice(0, 12);
  }

  #issue(node: string, id: string, identity: Identity): Held {
    const { clock, root } = this.#options;
    this.#renew.delete(node);
    const issued = issue(root, identity, clock.wall(), this.#lifetime);
    this.#options.observer?.onIssued();
    const base64 = (pem: string): string => Buffer.from(pem).toString('base64');
    const secret: Secret = {
      name: WORKLOAD_SECRET,
      tlsCertificate: {
        certificateChain: { inlineBytes: base64(issued.chain) },
        privateKey: { inlineBytes: base64(issued.privateKey) },
      },
    };
    const rotateAt = issued.issuedAt + (issued.notAfter - issued.issuedAt) * ROTATE_AFTER;
    const serial = hash('sha256', issued.chain, 'base64url').slice(0, 8);
    return this.#keep(node, { id, secret, version: `${id}.${Math.floor(rotateAt)}.${serial}`, rotateAt });
  }

  #adopt(node: string, id: string, version: string): Held | undefined {
    const [hadId, rotateAt, serial] = version.split('.');
    const at = Number(rotateAt);
    if (hadId !== id || serial === undefined || !(at > this.#options.clock.wall())) return undefined;
    return this.#keep(node, { id, secret: undefined, version, rotateAt: at });
  }

  #keep(node: string, part: Omit<Held, 'timer'>): Held {
    this.#held.get(node)?.timer?.cancel();
    const held: Held = { ...part, timer: undefined };
    this.#held.set(node, held);
    this.#schedule(node, held);
    return held;
  }

  /** Timers hold at most 24 days, so a far end is reached in several steps. */
  #schedule(node: string, held: Held): void {
    const { clock, onRotate } = this.#options;
    const left = held.rotateAt - clock.wall();
    held.timer = clock.after(Math.min(Math.max(left, 0), DAY), () => {
      if (clock.wall() < held.rotateAt) this.#schedule(node, held);
      else {
        this.forget(node);
        onRotate(node);
      }
    });
  }
}
