import type { RequestAuthentication } from '../gen/istio.security.v1beta1.ts';
import type { Resource } from '../resource.ts';
import { NOT_YET } from '../validation/report.ts';
import type { Problem } from '../validation/report.ts';

/** What a resource leaves out because istiod would find it by itself. */
export function absent({ kind, spec }: Resource): Problem[] {
  if (kind !== 'RequestAuthentication') return [];
  const { jwtRules = [] } = spec as RequestAuthentication;
  return jwtRules.flatMap(({ issuer, jwks, jwksUri }, index): Problem[] => {
    if (jwks || jwksUri) return [];
    const message = `no token of \`${issuer}\` is accepted: its keys are not looked up at the issuer yet`;
    const help = 'give the keys as `jwks`, or where they are as `jwksUri`';
    return [{ code: NOT_YET, severity: 'warning', message, path: ['spec', 'jwtRules', index], help }];
  });
}
