import type { Snapshot } from '@mizzen/api';
import { buildModel } from '@mizzen/model';
import type { MeshModel } from '@mizzen/model';
import type { NodeMetadata, Node } from '@mizzen/translator';
import type { DesiredWorkload, PodStatus } from '../protocol.ts';
import { defaultGateways } from './default-gateways.ts';
import { overlay } from './overlay.ts';
import { NO_SETTINGS } from './settings/types.ts';
import { synthesizePods } from './synthesize.ts';
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
}

export function offlineMesh(read: Snapshot, options: OfflineOptions = {}): OfflineMesh {
  const snapshot = overlay(read, defaultGateways(read).resources);
  const { inject = 'always', gatewayPorts = {} } = options;
  const { workloads, gateways } = computeWorkloads(buildModel(snapshot, []), {
    settings: NO_SETTINGS,
    standIns: true,
    inject,
    gatewayPorts,
  });
  const pods = synthesizePods(workloads, gateways);
  return { snapshot, model: buildModel(snapshot, pods), workloads, gateways, pods };
}

/** A pod's proxy as it describes itself; undefined without one. */
export function nodeOfPod({ node, nodeMetadata }: PodStatus): Node | undefined {
  return node === undefined || nodeMetadata === undefined
    ? undefined
    : { id: node, metadata: nodeMetadata as NodeMetadata };
}
