import type { security } from '@mizzen/api';
import { describe, expect, it } from 'vitest';
import { compileRule, type RuleOptions } from './rule.ts';

const options: RuleOptions = {
  tcp: false,
  namespace: 'shop',
  action: 'ALLOW',
  trustDomains: ['cluster.local'],
  localPort: (port) => port,
};

const compile = (rule: security.Rule, changes: Partial<RuleOptions> = {}) =>
  compileRule(rule, { ...options, ...changes });
const principals = (rule: security.Rule, changes: Partial<RuleOptions> = {}) => compile(rule, changes)?.principals;
const permissions = (rule: security.Rule, changes: Partial<RuleOptions> = {}) => compile(rule, changes)?.permissions;

describe('compileRule', () => {
  it('matches anything when it says nothing', () => {
    expect(compile({})).toEqual({
      permissions: [{ andRules: { rules: [{ any: true }] } }],
      principals: [{ andIds: { ids: [{ any: true }] } }],
    });
  });

  it('knows service accounts with and without a namespace, and not those whose names only begin alike', () => {
    const [made] = principals({ from: [{ source: { serviceAccounts: ['cart', 'other/cart'] } }] }) ?? [];
    const regexes = made?.andIds?.ids?.[0]?.orIds?.ids?.map((id) => id.authenticated?.principalName?.safeRegex?.regex);
    const [own = '', other = ''] = regexes ?? [];
    const fits = (regex: string, name: string): boolean => new RegExp(`^${regex}$`).test(name);
    expect(fits(own, 'spiffe://cluster.local/ns/shop/sa/cart')).toBe(true);
    expect(fits(own, 'spiffe://cluster.local/ns/shop/sa/cart-2')).toBe(false);
    expect(fits(own, 'spiffe://cluster.local/ns/other/sa/cart')).toBe(false);
    expect(fits(other, 'spiffe://cluster.local/ns/other/sa/cart')).toBe(true);
  });

  it('takes a dot in a name for a dot', () => {
    expect(principals({ from: [{ source: { namespaces: ['a.b*'] } }] })).toEqual([
      {
        andIds: {
          ids: [
            { orIds: { ids: [{ authenticated: { principalName: { safeRegex: { regex: '.*/ns/a\\.b.*/.*' } } } }] } },
          ],
        },
      },
    ]);
  });

  it('compares paths by template, prefix and suffix', () => {
    const [made] = permissions({ to: [{ operation: { paths: ['/a/{*}/b/{**}', '/p*', '*.css'] } }] }) ?? [];
    expect(made?.andRules?.rules?.[0]?.orRules?.rules).toEqual([
      {
        uriTemplate: {
          name: 'uri-template',
          typedConfig: {
            '@type': 'type.googleapis.com/envoy.extensions.path.match.uri_template.v3.UriTemplateMatchConfig',
            pathTemplate: '/a/*/b/**',
          },
        },
      },
      { urlPath: { path: { prefix: '/p' } } },
      { urlPath: { path: { suffix: '.css' } } },
    ]);
  });

  it('reads a claim that is a string and one that is a list', () => {
    const [made] =
      principals({ when: [{ key: 'request.auth.claims[realm][roles]', values: ['admin', 'ops*'] }] }) ?? [];
    const value = {
      orMatch: { valueMatchers: [{ stringMatch: { exact: 'admin' } }, { stringMatch: { prefix: 'ops' } }] },
    };
    expect(made?.andIds?.ids).toEqual([
      {
        metadata: {
          filter: 'envoy.filters.http.jwt_authn',
          path: [{ key: 'payload' }, { key: 'realm' }, { key: 'roles' }],
          value: { orMatch: { valueMatchers: [{ listMatch: { oneOf: value } }, value] } },
        },
      },
    ]);
  });

  it.each([
    ['https://issuer/a/sub', { exact: 'https://issuer/a' }, { exact: 'sub' }],
    ['*', { safeRegex: { regex: '.+' } }, { safeRegex: { regex: '.+' } }],
    ['*/sub', { safeRegex: { regex: '.+' } }, { exact: 'sub' }],
    ['*.com/sub', { suffix: '.com' }, { exact: 'sub' }],
    ['iss/*', { exact: 'iss' }, { safeRegex: { regex: '.+' } }],
    ['iss/a*', { exact: 'iss' }, { prefix: 'a' }],
  ])('splits the request principal `%s` at its last slash', (written, iss, sub) => {
    const [made] = principals({ from: [{ source: { requestPrincipals: [written] } }] }) ?? [];
    const values = made?.andIds?.ids?.[0]?.andIds?.ids?.map((id) => id.metadata?.value?.stringMatch);
    expect(values).toEqual([iss, sub]);
  });

  it('means the mesh itself by `cluster.local`, under each of its names', () => {
    const trustDomains = ['new', 'old'];
    const rule = { from: [{ source: { principals: ['cluster.local/ns/a/sa/b', 'elsewhere/ns/a/sa/b', 'odd'] } }] };
    const [made] = principals(rule, { trustDomains }) ?? [];
    expect(made?.andIds?.ids?.[0]?.orIds?.ids?.map((id) => id.authenticated?.principalName?.exact)).toEqual([
      'spiffe://new/ns/a/sa/b',
      'spiffe://old/ns/a/sa/b',
      'spiffe://elsewhere/ns/a/sa/b',
      'spiffe://odd',
    ]);
  });

  it('is given the port that connections really come in on', () => {
    const rule = { to: [{ operation: { ports: ['80', '9000'] } }] };
    const [made] = permissions(rule, { localPort: (port) => (port === 80 ? 8080 : port) }) ?? [];
    expect(made?.andRules?.rules?.[0]?.orRules?.rules).toEqual([{ destinationPort: 8080 }, { destinationPort: 9000 }]);
  });

  describe('for bytes, which know nothing of requests', () => {
    const rule = {
      from: [{ source: { namespaces: ['a'] } }],
      to: [{ operation: { methods: ['GET'], ports: ['80'] } }],
    };

    it('leaves the whole rule out where that allows less', () => {
      expect(compile(rule, { tcp: true })).toBeUndefined();
    });

    it('leaves the condition out where that denies more', () => {
      expect(permissions(rule, { tcp: true, action: 'DENY' })).toEqual([
        { andRules: { rules: [{ orRules: { rules: [{ destinationPort: 80 }] } }] } },
      ]);
    });

    it('denies everything when nothing is left of the condition', () => {
      const only = { to: [{ operation: { methods: ['GET'] } }] };
      expect(permissions(only, { tcp: true, action: 'DENY' })).toEqual([{ andRules: { rules: [{ any: true }] } }]);
    });
  });

  it('leaves out a rule with a condition nobody knows', () => {
    expect(compile({ when: [{ key: 'request.weather', values: ['fine'] }] })).toBeUndefined();
  });
});
