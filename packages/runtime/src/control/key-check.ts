import { refOf } from '@mizzen/api';
import type { Resource, networking, security } from '@mizzen/api';
import type { Diagnostic, Path } from '@mizzen/diagnostics';
import type { MeshModel, Service } from '@mizzen/model';

/**
 * Keys of RequestAuthentications that sidecars cannot fetch, so that every token is refused: in Istio it is istiod that
 * asks for them, from anywhere; here each sidecar does, and it reaches only what the mesh knows.
 */
export function checkKeys(model: MeshModel): Diagnostic[] {
  return model.snapshot.list('RequestAuthentication').flatMap((resource) =>
    (resource.spec.jwtRules ?? []).flatMap((rule, index): Diagnostic[] => {
      const problem = rule.jwks ? undefined : problemOf(model, resource, rule.jwksUri ?? '');
      if (problem === undefined) return [];
      const path: Path = ['spec', 'jwtRules', index, 'jwksUri'];
      const message = `no token of \`${rule.issuer ?? ''}\` is accepted: ${problem.message}`;
      return [{ code: 'MZ0203', severity: 'warning', message, ref: refOf(resource), path, help: problem.help }];
    }),
  );
}

function problemOf(
  model: MeshModel,
  { metadata: { namespace } }: Resource<security.RequestAuthentication>,
  uri: string,
): { readonly message: string; readonly help: string } | undefined {
  if (!URL.canParse(uri)) return undefined;
  const { hostname, port, protocol } = new URL(uri);
  const number = port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port);
  const service =
    model.serviceFor(hostname, namespace) ?? model.serviceFor(model.resolveHost(hostname, namespace), namespace);
  if (service === undefined || !service.ports.some((each) => each.port === number)) {
    const what =
      service === undefined ? `the mesh does not know \`${hostname}\`` : `\`${hostname}\` has no port ${number}`;
    const help = `declare ${service === undefined ? 'it' : 'the port'} with a ServiceEntry, or put the keys into \`jwks\``;
    return { message: `${what}, where its keys are`, help };
  }
  if (protocol !== 'https:' || startsTls(model, service, number, namespace)) return undefined;
  const help = `add a DestinationRule for \`${hostname}\` with \`tls: {mode: SIMPLE}\`, or put the keys into \`jwks\``;
  return { message: `nothing says to speak TLS to \`${hostname}\`, where its keys are`, help };
}

function startsTls(model: MeshModel, service: Service, port: number, namespace: string): boolean {
  const policy = model.scope(namespace, {}).destinationRule(service.hostname)?.spec.trafficPolicy;
  const own = policy?.portLevelSettings?.find((each) => each.port?.number === port);
  const mode: networking.ClientTLSSettings_TLSmode = (own ?? policy)?.tls?.mode ?? 'DISABLE';
  return mode === 'SIMPLE' || mode === 'MUTUAL';
}
