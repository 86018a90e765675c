import type { PodSpec } from '../../kubernetes.ts';
import { isRecord } from '../../normalize.ts';
import { left, moot, surprising, unless, yes } from '../types.ts';
import { kubernetesFields, of } from './fields.ts';
import type { KubernetesTable } from './fields.ts';

const ONE_NODE = moot('there is one machine to run on');
const NO_CONTAINERS = moot('containers are processes of this machine, with its users, names and limits');
const NO_API_SERVER = moot('there is no API server');
const NO_RECORD = moot('nothing is scheduled');
/** Istio's own, for interception; somebody's manifests may have them injected. */
const areIstios = (value: unknown): boolean =>
  Array.isArray(value) &&
  value.every((each) => isRecord(each) && (each.name === 'istio-init' || each.name === 'istio-validation'));
const FILES = unless(
  left(
    'the files are not where the container expects them',
    'tell the program where they are, by an environment variable for instance',
  ),
  (value) => isRecord(value) && value.optional === true,
);
const DISK = left('the program sees the file system of this machine', 'tell the program which directory to use');

export const pod: KubernetesTable = {
  PodSpec: kubernetesFields<PodSpec>({
    containers: of('Container', yes('its processes; `mizzen.dev/run` says what each runs')),
    initContainers: unless(
      left('init containers are not run here', "do what it does before, or in the container's own command"),
      areIstios,
    ),
    ephemeralContainers: NO_CONTAINERS,
    serviceAccountName: yes('its identity', 'CommonTlsContext.tlsCertificateSdsSecretConfigs'),
    serviceAccount: yes('older name of it', 'CommonTlsContext.tlsCertificateSdsSecretConfigs'),
    nodeName: yes('the Node whose labels say where it is', 'LocalityLbEndpoints.locality'),
    hostNetwork: yes('no sidecar'),
    restartPolicy: yes('whether it is started again'),
    terminationGracePeriodSeconds: yes('time to end by itself'),
    subdomain: moot('pods are reached through their service, not by names of their own'),
    hostname: moot('pods are reached through their service, not by names of their own'),
    enableServiceLinks: yes('`false`: no variables of the services'),
    volumes: of('Volume', yes('see below')),
    activeDeadlineSeconds: left('a pod runs as long as it likes'),
    dnsPolicy: NO_CONTAINERS,
    dnsConfig: surprising('names of the mesh are resolved by the sidecar, all others by this machine'),
    hostAliases: surprising('names of the mesh are resolved by the sidecar, all others by this machine'),
    nodeSelector: ONE_NODE,
    affinity: ONE_NODE,
    tolerations: ONE_NODE,
    topologySpreadConstraints: ONE_NODE,
    schedulerName: NO_RECORD,
    schedulingGates: NO_RECORD,
    schedulingGroup: NO_RECORD,
    workloadRef: NO_RECORD,
    priority: NO_RECORD,
    priorityClassName: NO_RECORD,
    preemptionPolicy: NO_RECORD,
    runtimeClassName: NO_CONTAINERS,
    overhead: NO_CONTAINERS,
    os: NO_CONTAINERS,
    resources: NO_CONTAINERS,
    resourceClaims: NO_CONTAINERS,
    securityContext: NO_CONTAINERS,
    hostPID: NO_CONTAINERS,
    hostIPC: NO_CONTAINERS,
    hostUsers: NO_CONTAINERS,
    hostnameOverride: NO_CONTAINERS,
    setHostnameAsFQDN: NO_CONTAINERS,
    shareProcessNamespace: NO_CONTAINERS,
    imagePullSecrets: moot('no image is pulled'),
    automountServiceAccountToken: NO_API_SERVER,
    readinessGates: left('readiness probes alone decide'),
  }),
  Volume: kubernetesFields<object>({
    name: yes('its name'),
    emptyDir: moot('a program has the file system of this machine'),
    ephemeral: moot('a program has the file system of this machine'),
    configMap: FILES,
    secret: FILES,
    projected: FILES,
    downwardAPI: FILES,
    image: FILES,
    '*': DISK,
  }),
};
