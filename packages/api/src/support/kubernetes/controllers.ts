import type { DeploymentSpec, PodTemplate, StatefulSetSpec } from '../../kubernetes.ts';
import { except, left, moot, yes } from '../types.ts';
import { kubernetesFields, of } from './fields.ts';
import type { KubernetesTable } from './fields.ts';

const NO_HISTORY = moot('no older versions are kept');
const FILES = moot('workloads use the file system of this machine');
const BY_OWNER = moot('pods belong to what they were made from');

const shared = {
  replicas: yes('how many pods; `mizzen scale` changes it'),
  selector: BY_OWNER,
  template: of('PodTemplate', yes('what the pods are like')),
  minReadySeconds: left('a pod counts as soon as it is ready'),
  revisionHistoryLimit: NO_HISTORY,
};

export const controllers: KubernetesTable = {
  DeploymentSpec: kubernetesFields<DeploymentSpec>({
    ...shared,
    strategy: of('DeploymentStrategy', yes('how pods are replaced')),
    progressDeadlineSeconds: moot('a rollout is never given up'),
    paused: left('changes are rolled out at once'),
  }),
  DeploymentStrategy: kubernetesFields<NonNullable<DeploymentSpec['strategy']>>({
    type: yes('RollingUpdate or Recreate'),
    rollingUpdate: of('RollingUpdate', yes('how many at a time')),
  }),
  RollingUpdate: kubernetesFields<NonNullable<NonNullable<DeploymentSpec['strategy']>['rollingUpdate']>>({
    maxSurge: yes('pods more than wanted'),
    maxUnavailable: yes('pods fewer than wanted'),
  }),
  StatefulSetSpec: kubernetesFields<Omit<StatefulSetSpec, 'strategy'>>({
    ...shared,
    serviceName: moot('pods are reached through the service, not by names of their own'),
    podManagementPolicy: moot('pods start side by side'),
    updateStrategy: of('StatefulSetUpdateStrategy', yes('one pod after the other, the last one first')),
    volumeClaimTemplates: FILES,
    persistentVolumeClaimRetentionPolicy: FILES,
    ordinals: left('pods are numbered from 0'),
  }),
  StatefulSetUpdateStrategy: kubernetesFields<object>({
    type: except(yes('RollingUpdate'), { OnDelete: left('changes are rolled out at once') }),
    rollingUpdate: of('StatefulSetRollingUpdate', yes('see below')),
  }),
  StatefulSetRollingUpdate: kubernetesFields<object>({
    partition: left('all pods are replaced'),
    maxUnavailable: moot('one pod is replaced at a time'),
  }),
  PodTemplate: kubernetesFields<PodTemplate>({
    metadata: yes('labels and annotations of the pods'),
    spec: of('PodSpec', yes('the pod')),
  }),
};
