import type { ServicePort, ServiceSpec } from '../kubernetes.ts';
import type { Resource } from '../resource.ts';
import { isIpAddress } from './checks/addresses.ts';
import { fqdnProblem, isDnsLabel } from './checks/names.ts';
import { checkPort } from './checks/numbers.ts';
import { PORT_NAME_HELP, isPortName } from './pod.ts';
import { BAD_ADDRESS, BAD_HOST, BAD_NAME, DUPLICATE, REQUIRED } from './report.ts';
import type { Report } from './report.ts';
import { checkShape, fields, list, map } from './shape.ts';

const SERVICE = fields({
  ports: list(
    fields({
      name: 'string',
      port: 'integer',
      protocol: ['TCP', 'UDP', 'SCTP'],
      appProtocol: 'string',
      targetPort: 'port',
      nodePort: 'integer',
    }),
  ),
  selector: map('string'),
  clusterIP: 'string',
  clusterIPs: list('string'),
  externalName: 'string',
  externalIPs: list('string'),
  type: ['ClusterIP', 'NodePort', 'LoadBalancer', 'ExternalName'],
  publishNotReadyAddresses: 'boolean',
  internalTrafficPolicy: ['Cluster', 'Local'],
  trafficDistribution: ['PreferClose', 'PreferSameZone', 'PreferSameNode'],
});

export function checkService({ spec, metadata }: Resource<ServiceSpec>, report: Report): void {
  if (!isDnsLabel(metadata.name) || !/^[a-z][-a-z0-9]*$/.test(metadata.name)) {
    const help = 'lowercase letters, digits and `-`, starting with a letter';
    report.error(BAD_NAME, ['metadata', 'name'], `\`${metadata.name}\` is not a valid name of a Service`, help);
  }
  // The types say what a valid resource has; this one may lack it.
  if ((spec as ServiceSpec | undefined) === undefined) report.error(REQUIRED, [], 'a Service needs a `spec`');
  checkShape(report, ['spec'], spec, SERVICE);
  if (!report.isClean) return;
  if (spec.type === 'ExternalName') {
    const problem = fqdnProblem(spec.externalName ?? '');
    if (!spec.externalName)
      report.error(REQUIRED, ['spec'], 'a Service of type `ExternalName` needs an `externalName`');
    else if (problem !== undefined) report.error(BAD_HOST, ['spec', 'externalName'], problem);
  }
  const { clusterIP } = spec;
  if (clusterIP && clusterIP !== 'None' && !isIpAddress(clusterIP)) {
    const message = `\`${clusterIP}\` is neither an IP address nor \`None\``;
    report.error(BAD_ADDRESS, ['spec', 'clusterIP'], message);
  }
  checkPorts(report, spec.ports ?? []);
}

function checkPorts(report: Report, ports: readonly ServicePort[]): void {
  const names = new Set<string>();
  const numbers = new Set<string>();
  ports.forEach(({ name = '', port, protocol = 'TCP', targetPort }, index) => {
    const path = ['spec', 'ports', index];
    checkPort(report, [...path, 'port'], port);
    // To Kubernetes 0 and an empty name are the same as none: the port itself.
    if (typeof targetPort === 'number' && targetPort !== 0) checkPort(report, [...path, 'targetPort'], targetPort);
    else if (typeof targetPort === 'string' && targetPort !== '' && !isPortName(targetPort)) {
      const message = `\`${targetPort}\` is not a valid port name`;
      report.error(
        BAD_NAME,
        [...path, 'targetPort'],
        message,
        /^\d+$/.test(targetPort) ? 'write the number without quotes' : PORT_NAME_HELP,
      );
    }
    if (name === '' && ports.length > 1) report.error(REQUIRED, path, 'with several ports each needs a `name`');
    if (name !== '' && !isDnsLabel(name))
      report.error(BAD_NAME, [...path, 'name'], `\`${name}\` is not a valid port name`);
    if (name !== '' && names.has(name))
      report.error(DUPLICATE, [...path, 'name'], `there are two ports named \`${name}\``);
    names.add(name);
    const key = `${port}/${protocol}`;
    if (numbers.has(key)) report.error(DUPLICATE, [...path, 'port'], `port \`${port}\` is listed twice`);
    numbers.add(key);
  });
}
