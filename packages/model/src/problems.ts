import { refOf, type Resource } from '@mizzen/api';
import { type Diagnostic, didYouMean, type Path } from '@mizzen/diagnostics';
import type { MeshModel } from './types.ts';

const NO_PROVIDER = 'MZ1305';

/** What of a mesh leads nowhere: warnings all. */
export function modelProblems(model: MeshModel): Diagnostic[] {
  return [...model.gatewayApi.diagnostics, ...providerProblems(model)];
}

/** Providers that policies name and the mesh configuration does not have: warnings, as Istio goes on without them. */
function providerProblems({ mesh, snapshot }: MeshModel): Diagnostic[] {
  const names = (mesh.extensionProviders ?? []).flatMap(({ name }) => name ?? []);
  const exact = new Set(names);
  const anyCase = new Set(names.map((name) => name.toLowerCase()));
  const problems: Diagnostic[] = [];
  const missing = (resource: Resource, path: Path, name: string, effect: string): void => {
    const guess = didYouMean(name, names);
    problems.push({
      code: NO_PROVIDER,
      severity: 'warning',
      message: `there is no extension provider \`${name}\`: ${effect}`,
      ref: refOf(resource),
      path,
      help:
        guess === undefined
          ? '`extensionProviders` of the mesh configuration says which there are'
          : `did you mean \`${guess}\`?`,
    });
  };
  for (const telemetry of snapshot.list('Telemetry')) {
    for (const field of ['metrics', 'tracing', 'accessLogging'] as const) {
      for (const [index, { providers = [] }] of (telemetry.spec[field] ?? []).entries()) {
        for (const [each, { name = '' }] of providers.entries()) {
          if (name === '' || anyCase.has(name.toLowerCase())) continue;
          missing(telemetry, ['spec', field, index, 'providers', each, 'name'], name, 'nothing is sent to it');
        }
      }
    }
  }
  for (const policy of snapshot.list('AuthorizationPolicy')) {
    const name = policy.spec.action === 'CUSTOM' ? (policy.spec.provider?.name ?? '') : '';
    if (name !== '' && !exact.has(name)) {
      missing(policy, ['spec', 'provider', 'name'], name, 'requests that the policy is for are denied');
    }
  }
  return problems;
}
