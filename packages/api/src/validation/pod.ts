import type { Path } from '@mizzen/diagnostics';
import type { Container, PodSpec, Probe } from '../kubernetes.ts';
import type { Resource } from '../resource.ts';
import { checkWorkloadName, isDnsLabel } from './checks/names.ts';
import { checkNotNegative, checkPort } from './checks/numbers.ts';
import { BAD_NAME, CONFLICT, DUPLICATE, REQUIRED } from './report.ts';
import type { Report } from './report.ts';
import { checkShape, fields, list, map } from './shape.ts';

const KEY_REF = fields({ name: 'string', key: 'string', optional: 'boolean' });
const SOURCE_REF = fields({ name: 'string', optional: 'boolean' });
const PROBE = fields({
  httpGet: fields({
    path: 'string',
    port: 'port',
    host: 'string',
    scheme: ['HTTP', 'HTTPS'],
    httpHeaders: list(fields({ name: 'string', value: 'string' })),
  }),
  tcpSocket: fields({ port: 'port', host: 'string' }),
  exec: fields({ command: list('string') }),
  grpc: fields({ port: 'integer', service: 'string' }),
  initialDelaySeconds: 'integer',
  periodSeconds: 'integer',
  timeoutSeconds: 'integer',
  successThreshold: 'integer',
  failureThreshold: 'integer',
  terminationGracePeriodSeconds: 'integer',
});
const CONTAINER = fields({
  name: 'string',
  image: 'string',
  command: list('string'),
  args: list('string'),
  workingDir: 'string',
  ports: list(fields({ name: 'string', containerPort: 'integer', protocol: ['TCP', 'UDP', 'SCTP'] })),
  env: list(
    fields({
      name: 'string',
      value: 'string',
      valueFrom: fields({
        fieldRef: fields({ fieldPath: 'string' }),
        configMapKeyRef: KEY_REF,
        secretKeyRef: KEY_REF,
        resourceFieldRef: fields({ resource: 'string' }),
      }),
    }),
  ),
  envFrom: list(fields({ prefix: 'string', configMapRef: SOURCE_REF, secretRef: SOURCE_REF })),
  readinessProbe: PROBE,
  livenessProbe: PROBE,
  startupProbe: PROBE,
  lifecycle: fields({ preStop: fields({ exec: fields({ command: list('string') }) }) }),
});
export const POD = fields({
  containers: list(CONTAINER),
  initContainers: list(CONTAINER),
  serviceAccountName: 'string',
  serviceAccount: 'string',
  nodeName: 'string',
  hostNetwork: 'boolean',
  restartPolicy: ['Always', 'OnFailure', 'Never'],
  terminationGracePeriodSeconds: 'integer',
  subdomain: 'string',
  hostname: 'string',
});
export const POD_METADATA = fields({ labels: map('string'), annotations: map('string') });

const STATUS = fields({
  phase: 'string',
  podIP: 'string',
  podIPs: list(fields({ ip: 'string' })),
  conditions: list(fields({ type: 'string', status: 'string' })),
});

const METADATA = fields({
  deletionTimestamp: 'string',
  generateName: 'string',
  ownerReferences: list(fields({ kind: 'string', name: 'string', controller: 'boolean' })),
});

export function checkPod(resource: Resource<PodSpec>, report: Report): void {
  const { spec, body } = resource;
  checkWorkloadName(report, resource);
  if (spec === undefined) report.error(REQUIRED, [], 'a Pod needs a `spec`');
  checkShape(report, ['spec'], spec, POD);
  checkShape(report, ['metadata'], body['metadata'], METADATA);
  checkShape(report, ['status'], body['status'], STATUS);
  if (report.isClean) checkPodSpec(report, ['spec'], spec);
}

/** A pod's spec of the right shape. */
export function checkPodSpec(report: Report, path: Path, spec: PodSpec): void {
  // The types say what a valid resource has; this one may lack it.
  const containers = spec.containers as PodSpec['containers'] | undefined;
  if (!containers?.length) report.error(REQUIRED, path, 'a pod needs at least one container');
  const names = new Set<string>();
  const portNames = new Set<string>();
  for (const field of ['initContainers', 'containers'] as const) {
    (spec[field] as readonly Container[] | undefined)?.forEach((container, index) => {
      checkContainer(report, [...path, field, index], container, names, portNames);
    });
  }
  checkNotNegative(report, path, spec, 'terminationGracePeriodSeconds');
}

function checkContainer(
  report: Report,
  path: Path,
  container: Container,
  names: Set<string>,
  portNames: Set<string>,
): void {
  const name = (container.name as string | undefined) ?? '';
  if (name === '') report.error(REQUIRED, path, 'a container needs a `name`');
  else if (!isDnsLabel(name)) report.error(BAD_NAME, [...path, 'name'], `\`${name}\` is not a valid container name`);
  else if (names.has(name)) report.error(DUPLICATE, [...path, 'name'], `there are two containers \`${name}\``);
  names.add(name);
  container.ports?.forEach((port, i) => {
    checkPort(report, [...path, 'ports', i, 'containerPort'], port.containerPort);
    if (port.name === undefined) return;
    const at = [...path, 'ports', i, 'name'];
    if (!isPortName(port.name)) report.error(BAD_NAME, at, `\`${port.name}\` is not a valid port name`, PORT_NAME_HELP);
    else if (portNames.has(port.name)) report.error(DUPLICATE, at, `there are two ports named \`${port.name}\``);
    portNames.add(port.name);
  });
  container.env?.forEach((variable, i) => {
    const at = [...path, 'env', i];
    if (!variable.name) report.error(REQUIRED, at, 'an environment variable needs a `name`');
    if (variable.value !== undefined && variable.value !== '' && variable.valueFrom) {
      report.error(CONFLICT, [...at, 'valueFrom'], 'only one of `value` and `valueFrom` can be set', undefined, 'key');
    }
  });
  for (const field of ['readinessProbe', 'livenessProbe', 'startupProbe'] as const) {
    const probe = container[field];
    if (probe) checkProbe(report, [...path, field], probe);
  }
}

const HANDLERS = ['httpGet', 'tcpSocket', 'exec', 'grpc'] as const;

function checkProbe(report: Report, path: Path, probe: Probe): void {
  const given = HANDLERS.filter((handler) => probe[handler] !== undefined);
  if (given.length === 0) {
    report.error(REQUIRED, path, 'a probe needs a way to check: `httpGet`, `tcpSocket`, `grpc` or `exec`');
  } else if (given.length > 1) {
    report.error(CONFLICT, [...path, given[1] as string], `a probe checks one way: \`${given.join('` or `')}\``);
  }
  for (const handler of ['httpGet', 'tcpSocket', 'grpc'] as const) {
    const port = probe[handler]?.port;
    if (probe[handler] && (typeof port !== 'string' || handler === 'grpc')) {
      checkPort(report, [...path, handler, 'port'], port as number | undefined);
    }
  }
  checkNotNegative(report, path, probe, 'initialDelaySeconds', 'periodSeconds', 'timeoutSeconds');
  checkNotNegative(report, path, probe, 'successThreshold', 'failureThreshold', 'terminationGracePeriodSeconds');
}

export const PORT_NAME_HELP = 'at most 15 lowercase letters, digits and `-`, with at least one letter';

export function isPortName(name: string): boolean {
  return name.length <= 15 && /^[a-z0-9]+(?:-[a-z0-9]+)*$/.test(name) && /[a-z]/.test(name);
}
