import type { types } from '@mizzen/xds';
import { describe, expect, it } from 'vitest';
import { buildOf, modelOf, sidecar } from '../testing/fixture.ts';
import { FOUND } from './no-keys.ts';
import { jwtFilter } from './jwt.ts';

type Config = types.jwtAuthn.JwtAuthentication;

const authentication = (rules: string): string => `
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: {name: tokens, namespace: default}
spec:
  jwtRules:
${rules}
`;

function configOf(yaml: string): Config | undefined {
  const [filter] = jwtFilter(buildOf(modelOf(yaml), sidecar()));
  return filter?.typedConfig as Config | undefined;
}

describe('jwtFilter', () => {
  it('is not there without rules', () => {
    expect(configOf('')).toBeUndefined();
  });

  it('takes a valid token or none from one issuer', () => {
    const config = configOf(authentication(`  - {issuer: a, jwks: '{"keys":[]}'}`));
    expect(config?.rules).toEqual([
      {
        match: { prefix: '/' },
        requires: { requiresAny: { requirements: [{ providerName: 'origins-0' }, { allowMissing: {} }] } },
      },
    ]);
  });

  it('takes any valid token, and refuses a bad one, with several issuers', () => {
    const config = configOf(authentication(`  - {issuer: b, jwks: '{}'}\n  - {issuer: a, jwks: '{}'}`));
    expect(Object.entries(config?.providers ?? {}).map(([name, { issuer }]) => [name, issuer])).toEqual([
      ['origins-0', 'a'],
      ['origins-1', 'b'],
    ]);
    const orMissing = (providerName: string) => ({
      requiresAny: { requirements: [{ providerName }, { allowMissing: {} }] },
    });
    expect(config?.rules?.[0]?.requires).toEqual({
      requiresAny: {
        requirements: [
          { providerName: 'origins-0' },
          { providerName: 'origins-1' },
          { requiresAll: { requirements: [orMissing('origins-0'), orMissing('origins-1')] } },
        ],
      },
    });
  });

  it('refuses requests without a token that is required', () => {
    const requires = (...rules: string[]) => configOf(authentication(rules.join('\n')))?.rules?.[0]?.requires;
    const a = "  - {issuer: a, jwks: '{}', presence: REQUIRED}";
    const b = "  - {issuer: b, jwks: '{}', presence: OPTIONAL}";
    expect(requires(a)).toEqual({ providerName: 'origins-0' });
    expect(requires(a, b)).toEqual({
      requiresAll: {
        requirements: [
          { providerName: 'origins-0' },
          { requiresAny: { requirements: [{ providerName: 'origins-1' }, { allowMissing: {} }] } },
        ],
      },
    });
  });

  it('fetches keys through the cluster of their host', () => {
    const entry = `
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: issuer, namespace: default}
spec: {hosts: [issuer.example.com], ports: [{number: 443, name: https, protocol: HTTPS}], resolution: DNS}
---`;
    const rule = '  - {issuer: a, jwksUri: "https://issuer.example.com/keys", timeout: 500ms}';
    expect(configOf(entry + authentication(rule))?.providers?.['origins-0']?.remoteJwks).toEqual({
      httpUri: {
        uri: 'https://issuer.example.com/keys',
        cluster: 'outbound|443||issuer.example.com',
        timeout: '0.500s',
      },
      cacheDuration: '300s',
    });
  });

  it('lets nobody in by keys that cannot be fetched', () => {
    const provider = configOf(authentication('  - {issuer: a, jwksUri: "https://nowhere.example.com/keys"}'))
      ?.providers?.['origins-0'];
    expect(JSON.parse(provider?.localJwks?.inlineString ?? '')).toEqual({ keys: [FOUND.key] });
    expect(provider?.remoteJwks).toBeUndefined();
  });
});
