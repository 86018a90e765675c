import type { MeshModel, Service } from '@mizzen/model';

/**
 * The variables that Kubernetes sets for each service of the namespace (host and port, and the form of Docker's links).
 * Where Kubernetes writes the service's address, its full host name stands.
 */
export function serviceEnvironment(model: MeshModel, namespace: string): Record<string, string> {
  const env: Record<string, string> = {};
  for (const service of model.services) {
    if (service.namespace !== namespace || service.registry !== 'Kubernetes') continue;
    if (service.headless || service.externalName !== undefined) continue;
    Object.assign(env, variablesOf(service));
  }
  return env;
}

function variablesOf({ name, hostname, ports }: Service): Record<string, string> {
  const first = ports[0];
  if (first === undefined) return {};
  const prefix = envName(name);
  const env: Record<string, string> = {
    [`${prefix}_SERVICE_HOST`]: hostname,
    [`${prefix}_SERVICE_PORT`]: String(first.port),
  };
  for (const port of ports) {
    if (port.name !== '') env[`${prefix}_SERVICE_PORT_${envName(port.name)}`] = String(port.port);
  }
  env[`${prefix}_PORT`] = link(hostname, first);
  for (const port of ports) {
    const scheme = schemeOf(port);
    const each = `${prefix}_PORT_${port.port}_${scheme.toUpperCase()}`;
    env[each] = link(hostname, port);
    env[`${each}_PROTO`] = scheme;
    env[`${each}_PORT`] = String(port.port);
    env[`${each}_ADDR`] = hostname;
  }
  return env;
}

const schemeOf = (port: Service['ports'][number]): string => (port.protocol === 'udp' ? 'udp' : 'tcp');
const link = (host: string, port: Service['ports'][number]): string => `${schemeOf(port)}://${host}:${port.port}`;
const envName = (name: string): string => name.toUpperCase().replaceAll(/[^A-Z\d_]/g, '_');
