import { hash } from 'node:crypto';
import { ROOT_SECRET, WORKLOAD_SECRET, secretNames } from '@mizzen/control-plane';
import type { Identity, NodeConfig, SecretAnswer, WorkloadSecrets } from '@mizzen/control-plane';
import type { Snapshot } from '@mizzen/api';
import { credentialOf } from '../control/credentials.ts';
import { resolveFileSecret } from '../control/file-secrets.ts';

/** Whoever asks for secrets. */
export interface Reader {
  /** Under which its own certificate is kept. */
  readonly key: string;
  /** What it proved to be; undefined: nothing. */
  readonly identity: Identity | undefined;
  /** It is a process of this machine and this user, so that files of this machine are its own. */
  readonly local: boolean;
}

export interface ReadableDeps {
  readonly secrets: WorkloadSecrets;
  readonly snapshot: () => Snapshot;
  /** A secret was asked for and is not served: why. */
  readonly onWithheld: (name: string, reason: string) => void;
}

const NOBODY: Identity = { trustDomain: '', namespace: '', serviceAccount: '' };
const names = new WeakMap<NodeConfig['listeners'] | NodeConfig['clusters'], ReadonlySet<string>>();

/**
 * The secrets that one proxy may read: the mesh's roots, which are no secret; its own certificate; and, of its own
 * namespace, the credentials that its own configuration names. Istiod has the same rule without the last half.
 */
export function readableSecrets(
  reader: Reader,
  config: Pick<NodeConfig, 'listeners' | 'clusters'>,
  deps: ReadableDeps,
): NodeConfig['secret'] {
  const { key, identity, local } = reader;
  const withhold = (name: string, reason: string): undefined => {
    deps.onWithheld(name, reason);
    return undefined;
  };
  return (name, have): SecretAnswer => {
    if (name === ROOT_SECRET) return deps.secrets.resolve(key, identity ?? NOBODY, name, have);
    if (identity === undefined) return withhold(name, 'the proxy has not proved who it is');
    if (name === WORKLOAD_SECRET) return deps.secrets.resolve(key, identity, name, have);
    if (!namedBy(config).has(name)) return withhold(name, 'nothing in the configuration of the proxy names it');
    const credential =
      credentialOf(deps.snapshot(), identity.namespace, name) ??
      (local || name === SYSTEM_ROOTS ? resolveFileSecret(name) : undefined);
    if (credential === undefined) return withhold(name, 'files are served to proxies on this machine only');
    if (!('secret' in credential)) return withhold(name, credential.problem);
    const { secret } = credential;
    return { version: hash('sha256', JSON.stringify(secret), 'base64url').slice(0, 22), secret };
  };
}

/** What every program of a machine trusts. */
const SYSTEM_ROOTS = 'file-root:system';

function namedBy(config: Pick<NodeConfig, 'listeners' | 'clusters'>): ReadonlySet<string> {
  let clusters = names.get(config.clusters);
  if (clusters === undefined) names.set(config.clusters, (clusters = secretsOf({ clusters: config.clusters })));
  let listeners = names.get(config.listeners);
  if (listeners === undefined) names.set(config.listeners, (listeners = secretsOf({ listeners: config.listeners })));
  return clusters.union(listeners);
}

function secretsOf(part: Partial<Pick<NodeConfig, 'listeners' | 'clusters'>>): ReadonlySet<string> {
  const whole: NodeConfig = {
    listeners: [],
    clusters: [],
    routes: [],
    endpoints: [],
    extensions: [],
    secret: () => undefined,
    ...part,
  };
  return new Set(secretNames(whole));
}
