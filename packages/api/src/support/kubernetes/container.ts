import type { Container, ContainerPort, EnvFromSource, EnvVar, KeyRef, Probe } from '../../kubernetes.ts';
import { except, left, moot, surprising, yes } from '../types.ts';
import { kubernetesFields, of } from './fields.ts';
import type { KubernetesTable } from './fields.ts';

const RUN = moot('it belongs to the image; `mizzen.dev/run` says what runs');
const NO_CONTAINERS = moot('containers are processes of this machine, with its users, names and limits');
const OWN_COPY = moot("the port is the pod's own; the application gets another one in `PORT`");
const PROBE = 'asked of the application itself, past its sidecar';
const HOOK = left('only a command (`exec`) is run', 'use `exec`');

export const container: KubernetesTable = {
  Container: kubernetesFields<Container>({
    name: yes('its name'),
    image: RUN,
    imagePullPolicy: RUN,
    command: RUN,
    args: RUN,
    workingDir: moot('`mizzen.dev/dir` says where the program runs'),
    ports: of('ContainerPort', yes('ports its sidecar listens on', 'Listener.address')),
    env: of('EnvVar', yes('environment variables')),
    envFrom: of('EnvFromSource', yes('environment variables of a ConfigMap or Secret')),
    readinessProbe: of('Probe', yes('whether it gets requests', 'LbEndpoint.healthStatus')),
    livenessProbe: of('Probe', yes('whether it is restarted')),
    startupProbe: of('Probe', yes('when the other probes begin')),
    lifecycle: of('Lifecycle', yes('hooks')),
    resources: moot('no limits are set; `resourceFieldRef` reads what is written'),
    resizePolicy: NO_CONTAINERS,
    restartPolicy: left("the pod's restartPolicy counts"),
    restartPolicyRules: left("the pod's restartPolicy counts"),
    volumeMounts: moot('see `volumes` of the pod'),
    volumeDevices: moot('see `volumes` of the pod'),
    securityContext: NO_CONTAINERS,
    stdin: NO_CONTAINERS,
    stdinOnce: NO_CONTAINERS,
    tty: NO_CONTAINERS,
    terminationMessagePath: NO_CONTAINERS,
    terminationMessagePolicy: NO_CONTAINERS,
  }),
  ContainerPort: kubernetesFields<ContainerPort>({
    name: yes('name that services and probes use; also `PORT_NAME` in the environment'),
    containerPort: yes("the pod's port; the application listens on `PORT`", 'Listener.address'),
    protocol: except(yes('TCP'), {
      UDP: moot('a mesh carries TCP only, in Istio too'),
      SCTP: moot('a mesh carries TCP only, in Istio too'),
    }),
    hostPort: surprising('nothing listens at host ports; use a Gateway'),
    hostIP: OWN_COPY,
  }),
  EnvVar: kubernetesFields<EnvVar>({
    name: yes('its name'),
    value: yes('its value; `$(NAME)` is expanded, and `host:port` of services that are not HTTP replaced'),
    valueFrom: of('EnvVarSource', yes('where its value is')),
  }),
  EnvVarSource: kubernetesFields<NonNullable<EnvVar['valueFrom']>>({
    fieldRef: of('FieldRef', yes('a field of the pod')),
    configMapKeyRef: of('KeyRef', yes('a key of a ConfigMap')),
    secretKeyRef: of('KeyRef', yes('a key of a Secret')),
    resourceFieldRef: of(
      'ResourceFieldRef',
      yes("a limit or request of the container; the machine's own when left out"),
    ),
    fileKeyRef: left('the variable is not set', 'use a ConfigMap'),
  }),
  FieldRef: kubernetesFields<object>({ fieldPath: yes('the field'), apiVersion: moot('there is only `v1`') }),
  ResourceFieldRef: kubernetesFields<object>({
    resource: yes('`limits.cpu` and the like'),
    divisor: yes('unit to count in'),
    containerName: left("the container's own resources are read"),
  }),
  KeyRef: kubernetesFields<KeyRef>({
    name: yes('the ConfigMap or Secret'),
    key: yes('the key'),
    optional: yes('whether it may be missing'),
  }),
  EnvFromSource: kubernetesFields<EnvFromSource>({
    prefix: yes('put before each name'),
    configMapRef: of('SourceRef', yes('a ConfigMap')),
    secretRef: of('SourceRef', yes('a Secret')),
  }),
  SourceRef: kubernetesFields<object>({ name: yes('its name'), optional: yes('whether it may be missing') }),
  Probe: kubernetesFields<Probe>({
    httpGet: of('HttpGet', yes(PROBE)),
    tcpSocket: of('TcpSocket', yes(PROBE)),
    exec: of('Exec', yes("a command of this machine, in the container's directory; stand-ins pass")),
    grpc: of('GrpcProbe', yes(PROBE)),
    initialDelaySeconds: yes('when it begins'),
    periodSeconds: yes('how often; more often until the first success'),
    timeoutSeconds: yes('time for an answer'),
    successThreshold: yes('successes in a row'),
    failureThreshold: yes('failures in a row'),
    terminationGracePeriodSeconds: left('a container that fails it has 30 seconds to end'),
  }),
  HttpGet: kubernetesFields<NonNullable<Probe['httpGet']>>({
    path: yes('the path'),
    port: yes('number or name of the port'),
    host: yes('another host'),
    scheme: yes('HTTP or HTTPS'),
    httpHeaders: of('HttpHeader', yes('headers')),
  }),
  HttpHeader: kubernetesFields<object>({ name: yes('its name'), value: yes('its value') }),
  TcpSocket: kubernetesFields<NonNullable<Probe['tcpSocket']>>({
    port: yes('number or name of the port'),
    host: yes('another host'),
  }),
  Exec: kubernetesFields<NonNullable<Probe['exec']>>({ command: yes('the command') }),
  GrpcProbe: kubernetesFields<NonNullable<Probe['grpc']>>({
    port: yes('the port'),
    service: yes('name to ask for'),
  }),
  Lifecycle: kubernetesFields<NonNullable<Container['lifecycle']>>({
    preStop: of('PreStop', yes('before it is ended')),
    postStart: left('nothing runs after the start', 'do it in the program, or in what starts it'),
    stopSignal: left('SIGTERM is sent'),
  }),
  PreStop: kubernetesFields<NonNullable<NonNullable<Container['lifecycle']>['preStop']>>({
    exec: of('Exec', yes("a command of this machine, in the container's directory")),
    httpGet: HOOK,
    tcpSocket: HOOK,
    sleep: left('the program is told to end at once, after the proxies know', 'use `exec` with `sleep`'),
  }),
};
