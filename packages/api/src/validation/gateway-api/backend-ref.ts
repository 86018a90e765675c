import type { Path } from '@mizzen/diagnostics';
import type { BackendRef } from '../../gateway-api.ts';
import { isPort } from '../checks/numbers.ts';
import { BAD_NAME, NOT_ALLOWED, OUT_OF_RANGE, REQUIRED } from '../report.ts';
import type { Report } from '../report.ts';
import { requireAll } from './required.ts';

/** Istio's own kind of backend: a host by its full name. */
export function isHostname({ group = '', kind = 'Service' }: BackendRef): boolean {
  return group === 'networking.istio.io' && kind === 'Hostname';
}

export function checkBackendRef(report: Report, path: Path, backend: BackendRef): void {
  if (!requireAll(report, path, backend, 'a reference to a backend', 'name')) return;
  const { group = '', kind = 'Service', name, namespace, port } = backend;
  const isService = group === '' && kind === 'Service';
  if (isService && name.includes('.')) {
    const help = `write \`name: ${name.split('.')[0]}\`${name.split('.')[1] === undefined ? '' : ` and \`namespace: ${name.split('.')[1]}\``}`;
    report.error(BAD_NAME, [...path, 'name'], `\`${name}\` is not the name of a Service`, help);
  }
  if (isHostname(backend) && namespace !== undefined) {
    report.error(NOT_ALLOWED, [...path, 'namespace'], 'a `Hostname` is in no namespace');
  }
  if (port !== undefined && !isPort(port)) {
    report.error(OUT_OF_RANGE, [...path, 'port'], `port \`${port}\` must be between 1 and 65535`);
  } else if (port === undefined && (isService || isHostname(backend))) {
    report.error(REQUIRED, path, `a reference to a \`${kind}\` needs a \`port\``);
  }
}
