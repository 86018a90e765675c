import type { Path } from '@mizzen/diagnostics';
import type { ReadinessProbe, WorkloadGroup } from '../gen/istio.networking.v1alpha3.ts';
import type { Resource } from '../resource.ts';
import { checkLabels } from './checks/labels.ts';
import { checkNotNegative, checkPort } from './checks/numbers.ts';
import { checkHeaderName } from './checks/text.ts';
import { checkEndpointPorts } from './workload-entry.ts';
import { BAD_VALUE, REQUIRED } from './report.ts';
import type { Report } from './report.ts';

export function checkWorkloadGroup({ spec }: Resource<WorkloadGroup>, report: Report): void {
  if (!spec.template) {
    report.error(REQUIRED, ['spec'], 'a WorkloadGroup needs a `template`');
    return;
  }
  // Its address is filled in when a workload registers.
  checkEndpointPorts(report, ['spec', 'template', 'ports'], spec.template.ports, undefined);
  checkLabels(report, ['spec', 'metadata', 'labels'], spec.metadata?.labels);
  if (spec.probe) checkProbe(report, ['spec', 'probe'], spec.probe);
}

function checkProbe(report: Report, path: Path, probe: ReadinessProbe): void {
  checkNotNegative(report, path, probe, 'periodSeconds', 'initialDelaySeconds', 'timeoutSeconds');
  checkNotNegative(report, path, probe, 'successThreshold', 'failureThreshold');
  const { httpGet, tcpSocket, exec, grpc } = probe;
  if (httpGet) {
    const at = [...path, 'httpGet'];
    checkPort(report, [...at, 'port'], httpGet.port);
    if (httpGet.scheme && httpGet.scheme !== 'HTTP' && httpGet.scheme !== 'HTTPS') {
      report.error(BAD_VALUE, [...at, 'scheme'], `\`${httpGet.scheme}\` is not a scheme`, 'one of `HTTP`, `HTTPS`');
    }
    httpGet.httpHeaders?.forEach(({ name = '' }, i) =>
      checkHeaderName(report, [...at, 'httpHeaders', i, 'name'], name),
    );
  } else if (tcpSocket) checkPort(report, [...path, 'tcpSocket', 'port'], tcpSocket.port);
  else if (grpc) checkPort(report, [...path, 'grpc', 'port'], grpc.port);
  else if (exec) {
    if (!exec.command?.length) report.error(REQUIRED, [...path, 'exec'], '`exec` needs a `command`');
  } else {
    report.error(REQUIRED, path, 'a probe needs a way to check: `httpGet`, `tcpSocket`, `grpc` or `exec`');
  }
}
