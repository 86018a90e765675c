import type { ServiceEntry } from '../gen/istio.networking.v1alpha3.ts';
import type { Resource } from '../resource.ts';
import { checkIpSubnet, isIpAddress } from './checks/addresses.ts';
import { checkExportTo, checkLabels, checkSelector } from './checks/labels.ts';
import { checkPortName, checkWildcardDomain, fqdnProblem, isPartialWildcard } from './checks/names.ts';
import { checkPort } from './checks/numbers.ts';
import { PROTOCOLS_HELP, isHttpProtocol, isKnownProtocol, isTlsProtocol } from './checks/protocol.ts';
import { BAD_ADDRESS, BAD_HOST, BAD_VALUE, CONFLICT, DUPLICATE, NO_EFFECT, REQUIRED, SUSPICIOUS } from './report.ts';
import type { Report } from './report.ts';
import { checkEndpointPorts, checkWorkload } from './workload-entry.ts';

export function checkServiceEntry({ spec, metadata }: Resource<ServiceEntry>, report: Report): void {
  if (spec.workloadSelector) {
    const everything = 'every workload in the namespace';
    checkSelector(report, ['spec', 'workloadSelector', 'labels'], spec.workloadSelector.labels, everything);
    if (!report.isClean) return;
    if (spec.endpoints) {
      report.error(CONFLICT, ['spec', 'endpoints'], 'only one of `workloadSelector` and `endpoints` can be set');
    }
  }
  checkHosts(report, spec);
  checkAddresses(report, spec);
  const servicePorts = checkPorts(report, spec);
  checkResolution(report, spec, servicePorts);
  checkExportTo(report, ['spec', 'exportTo'], spec.exportTo, { namespace: metadata.namespace, allowNone: true });
}

function checkHosts(report: Report, { hosts = [] }: ServiceEntry): void {
  if (hosts.length === 0) report.error(REQUIRED, ['spec', 'hosts'], 'a ServiceEntry needs at least one host');
  hosts.forEach((host, index) => {
    const path = ['spec', 'hosts', index];
    if (host === '*') report.error(BAD_HOST, path, 'host `*` is not allowed', 'name the hosts, or use `*.example.com`');
    else if (checkWildcardDomain(report, path, host) && isPartialWildcard(host)) {
      report.warn(SUSPICIOUS, path, `\`${host}\`: \`*\` should stand for a whole label`, 'like `*.example.com`');
    }
  });
}

function checkAddresses(report: Report, { addresses = [], resolution = 'NONE' }: ServiceEntry): void {
  addresses.forEach((address, index) => {
    const path = ['spec', 'addresses', index];
    checkIpSubnet(report, path, address);
    if (address.includes('/') && resolution !== 'NONE' && resolution !== 'STATIC') {
      const message = `a CIDR block (\`${address}\`) is allowed with resolution \`NONE\` and \`STATIC\` only`;
      report.error(CONFLICT, path, message);
    }
  });
}

function checkPorts(report: Report, { ports = [], addresses = [] }: ServiceEntry): ReadonlySet<string> {
  const names = new Set<string>();
  const numbers = new Set<number>();
  ports.forEach(({ name = '', number = 0, protocol = '', targetPort }, index) => {
    const path = ['spec', 'ports', index];
    if (names.has(name)) report.error(DUPLICATE, [...path, 'name'], `there are two ports named \`${name}\``);
    names.add(name);
    if (numbers.has(number)) report.error(DUPLICATE, [...path, 'number'], `port \`${number}\` is listed twice`);
    numbers.add(number);
    if (targetPort) checkPort(report, [...path, 'targetPort'], targetPort);
    checkPortName(report, [...path, 'name'], name);
    if (protocol !== '' && !isKnownProtocol(protocol)) {
      report.error(BAD_VALUE, [...path, 'protocol'], `\`${protocol}\` is not a protocol`, PROTOCOLS_HELP);
    }
    checkPort(report, [...path, 'number'], number);
    if (addresses.length === 0 && (protocol === '' || protocol === 'TCP')) {
      const message = `without \`addresses\` every TCP connection to port \`${number}\` looks like this service`;
      report.warn(SUSPICIOUS, path, message, 'give it `addresses`');
    }
  });
  return names;
}

function checkResolution(report: Report, spec: ServiceEntry, servicePorts: ReadonlySet<string>): void {
  const { resolution = 'NONE', endpoints = [], hosts = [], ports = [] } = spec;
  if (resolution === 'NONE') {
    if (endpoints.length > 0) {
      report.error(CONFLICT, ['spec', 'endpoints'], 'resolution `NONE` takes no `endpoints`', 'use `STATIC` or `DNS`');
    }
    if (spec.workloadSelector) {
      report.warn(NO_EFFECT, ['spec', 'workloadSelector'], 'with resolution `NONE` no workload is selected');
    }
    return;
  }
  if (resolution === 'STATIC') {
    endpoints.forEach((endpoint, i) => {
      checkWorkload(report, ['spec', 'endpoints', i], endpoint, { names: false, servicePorts });
    });
  } else if (resolution === 'DYNAMIC_DNS') checkDynamicDns(report, spec);
  else checkDns(report, spec, servicePorts);
  if (hosts.length > 1) {
    // Plain TCP carries nothing that tells one host from another.
    const index = ports.findIndex(({ protocol }) => !isHttpProtocol(protocol) && !isTlsProtocol(protocol));
    if (index >= 0 && resolution !== 'DYNAMIC_DNS') {
      report.error(CONFLICT, ['spec', 'ports', index], 'a port that is neither HTTP nor TLS allows one host only');
    }
  }
}

function checkDynamicDns(report: Report, { hosts = [], endpoints = [], ports = [] }: ServiceEntry): void {
  if (endpoints.length > 0) {
    const message = 'resolution `DYNAMIC_DNS` takes no `endpoints`: the address comes from each request';
    report.error(CONFLICT, ['spec', 'endpoints'], message);
  }
  if (!hosts.some((host) => host.startsWith('*'))) {
    report.error(REQUIRED, ['spec', 'hosts'], 'resolution `DYNAMIC_DNS` needs a wildcard host', 'like `*.example.com`');
  }
  ports.forEach(({ protocol }, index) => {
    if (!protocol || isHttpProtocol(protocol) || isTlsProtocol(protocol)) return;
    const message = `resolution \`DYNAMIC_DNS\` needs HTTP or TLS, not \`${protocol}\``;
    report.error(CONFLICT, ['spec', 'ports', index, 'protocol'], message);
  });
}

function checkDns(report: Report, spec: ServiceEntry, servicePorts: ReadonlySet<string>): void {
  const { resolution, endpoints = [], hosts = [], ports = [], addresses = [] } = spec;
  if (endpoints.length === 0) {
    hosts.forEach((host, index) => {
      if (fqdnProblem(host) === undefined || host === '*') return;
      const message = `\`${host}\` cannot be looked up: without \`endpoints\`, resolution \`${resolution}\` needs full names`;
      report.error(BAD_HOST, ['spec', 'hosts', index], message);
    });
  }
  if (resolution === 'DNS_ROUND_ROBIN' && endpoints.length > 1) {
    report.error(CONFLICT, ['spec', 'endpoints'], 'resolution `DNS_ROUND_ROBIN` allows one endpoint only');
  }
  endpoints.forEach((endpoint, index) => {
    const path = ['spec', 'endpoints', index];
    const { address = '' } = endpoint;
    if (!isIpAddress(address) && fqdnProblem(address) !== undefined) {
      const message = `\`${address}\` is neither a domain name nor an IP address`;
      report.error(BAD_ADDRESS, [...path, 'address'], message);
    }
    checkLabels(report, [...path, 'labels'], endpoint.labels);
    checkEndpointPorts(report, [...path, 'ports'], endpoint.ports, servicePorts);
  });
  const tcp = ports.some(({ protocol }) => /^(?:tcp|https|tls|mongo|redis|mysql)$/i.test(protocol ?? ''));
  if (addresses.length > 0 && hosts.length > 1 && tcp) {
    report.warn(
      SUSPICIOUS,
      ['spec', 'hosts'],
      'several hosts share an address and a TCP port: only one can be reached',
    );
  }
}
