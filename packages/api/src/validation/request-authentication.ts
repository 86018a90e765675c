import type { Path } from '@mizzen/diagnostics';
import type { JWTRule, RequestAuthentication } from '../gen/istio.security.v1beta1.ts';
import { isRecord } from '../normalize.ts';
import type { Resource } from '../resource.ts';
import { checkTargeting } from './checks/labels.ts';
import { checkDuration } from './checks/numbers.ts';
import { checkHeaderName } from './checks/text.ts';
import { BAD_ADDRESS, BAD_VALUE, CONFLICT, OUT_OF_RANGE, REQUIRED, SUSPICIOUS } from './report.ts';
import type { Report } from './report.ts';

export function checkRequestAuthentication({ spec }: Resource<RequestAuthentication>, report: Report): void {
  checkTargeting(report, ['spec'], spec);
  spec.jwtRules?.forEach((rule, index) => checkJwtRule(report, ['spec', 'jwtRules', index], rule));
}

const LISTS = ['audiences', 'fromParams', 'fromCookies', 'spaceDelimitedClaims'] as const;

function checkJwtRule(report: Report, path: Path, rule: JWTRule): void {
  if (!rule.issuer && !rule.jwksUri) report.error(REQUIRED, path, 'a rule needs an `issuer` or a `jwksUri`');
  for (const field of LISTS) {
    rule[field]?.forEach((value, i) => {
      if (value === '') report.error(REQUIRED, [...path, field, i], `\`${field}\` cannot hold an empty string`);
    });
  }
  if ((rule.spaceDelimitedClaims?.length ?? 0) > 64) {
    report.error(OUT_OF_RANGE, [...path, 'spaceDelimitedClaims'], 'at most 64 claims can be listed');
  }
  if (rule.jwksUri) checkJwksUri(report, [...path, 'jwksUri'], rule.jwksUri);
  if (rule.jwks) checkJwks(report, [...path, 'jwks'], rule.jwks);
  if (rule.jwksUri && rule.jwks) {
    report.error(CONFLICT, [...path, 'jwks'], 'only one of `jwks` and `jwksUri` can be set', undefined, 'key');
  }
  rule.fromHeaders?.forEach(({ name }, i) => {
    if (!name) report.error(REQUIRED, [...path, 'fromHeaders', i], 'a header to take the token from needs a `name`');
  });
  rule.outputClaimToHeaders?.forEach(({ claim, header }, i) => {
    const at = [...path, 'outputClaimToHeaders', i];
    if (!claim || !header) report.error(REQUIRED, at, '`outputClaimToHeaders` needs both a `claim` and a `header`');
    else checkHeaderName(report, [...at, 'header'], header);
  });
  checkDuration(report, [...path, 'timeout'], rule.timeout);
}

function checkJwksUri(report: Report, path: Path, uri: string): void {
  const scheme = /^([a-zA-Z][-+.a-zA-Z0-9]*):/.exec(uri)?.[1]?.toLowerCase();
  if (scheme !== 'http' && scheme !== 'https') {
    report.error(BAD_ADDRESS, path, `\`${uri}\` is not an http:// or https:// address`);
  } else if (!URL.canParse(uri) || uri.includes('\\')) report.error(BAD_ADDRESS, path, `\`${uri}\` is not a URL`);
}

/** Members of a JSON Web Key that only its owner should have (RFC 7518, section 6). */
const PRIVATE = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'];

function checkJwks(report: Report, path: Path, text: string): void {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    report.error(BAD_VALUE, path, `\`jwks\` is not JSON: ${(error as Error).message}`);
    return;
  }
  const keys: unknown = isRecord(value) ? (value.keys ?? [value]) : undefined;
  if (!Array.isArray(keys) || !keys.every((key) => isRecord(key) && typeof key.kty === 'string')) {
    report.error(BAD_VALUE, path, '`jwks` is not a JSON Web Key Set', '`{"keys": [{"kty": …}]}`');
    return;
  }
  (keys as Record<string, unknown>[]).forEach((key, index) => {
    if (key.kty === 'oct' || !PRIVATE.some((member) => member in key)) return;
    report.warn(SUSPICIOUS, path, `key #${index} of \`jwks\` holds its private part; only the public one is needed`);
  });
}
