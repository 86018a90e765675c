import type { Snapshot } from '@mizzen/api';
import { contentVersion, type NodeConfig } from '@mizzen/control-plane';
import { buildModel } from '@mizzen/model';
import type { MeshModel } from '@mizzen/model';
import type { Engine, NodeMetadata, Node } from '@mizzen/translator';
import type { DesiredWorkload, PodStatus } from '../protocol.ts';
import { credentialOf } from './credentials.ts';
import { defaultGateways } from './default-gateways.ts';
import { resolveFileSecret } from './file-secrets.ts';
import { overlay } from './overlay.ts';
import { NO_SETTINGS } from './settings/types.ts';
import { type RunningPod, synthesizePods } from './synthesize.ts';
import { computeWorkloads } from './workloads/compute.ts';

/** What `mizzen up` would run of these resources, with nothing running. */
export interface OfflineMesh {
  readonly snapshot: Snapshot;
  readonly model: MeshModel;
  readonly workloads: readonly DesiredWorkload[];
  readonly gateways: readonly DesiredWorkload[];
  readonly pods: readonly PodStatus[];
}

export interface OfflineOptions {
  readonly inject?: 'always' | 'labelled';
  readonly gatewayPorts?: Readonly<Record<number, number>>;
  /** What proxies are where no annotation says otherwise. When left out all are Mizzen's own, whatever annotations say. */
  readonly engine?: Engine;
  /** Pods that run: names and addresses are theirs. */
  readonly running?: readonly RunningPod[];
}

export function offlineMesh(read: Snapshot, options: OfflineOptions = {}): OfflineMesh {
  const snapshot = overlay(read, defaultGateways(read).resources);
  const { inject = 'always', gatewayPorts = {}, engine, running } = options;
  const computed = computeWorkloads(buildModel(snapshot, []), {
    settings: NO_SETTINGS,
    standIns: true,
    inject,
    gatewayPorts,
    engine: engine ?? 'mizzen',
  });
  const own = (all: readonly DesiredWorkload[]): readonly DesiredWorkload[] =>
    engine === undefined ? all.map((each) => ({ ...each, engine: each.engine && 'mizzen' })) : all;
  const [workloads, gateways] = [own(computed.workloads), own(computed.gateways)];
  const pods = synthesizePods(workloads, gateways, running);
  return { snapshot, model: buildModel(snapshot, pods), workloads, gateways, pods };
}

/**
 * What a proxy in a namespace is given for the name of a secret when nothing runs: what files hold. Certificates of
 * workloads are issued to proxies that run.
 */
export function offlineSecret(snapshot: Snapshot, namespace: string): NodeConfig['secret'] {
  return (name) => {
    const credential = credentialOf(snapshot, namespace, name) ?? resolveFileSecret(name);
    if (credential === undefined || !('secret' in credential)) return undefined;
    return { version: contentVersion(credential.secret), secret: credential.secret };
  };
}

/** A pod's proxy as it describes itself; undefined without one. */
export function nodeOfPod({ node, nodeMetadata }: PodStatus): Node | undefined {
  return node === undefined || nodeMetadata === undefined
    ? undefined
    : { id: node, metadata: nodeMetadata as NodeMetadata };
}
