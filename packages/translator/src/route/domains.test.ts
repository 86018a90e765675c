import { expect, it } from 'vitest';
import { createContext } from '../context.ts';
import { modelOf, sidecar } from '../testing/fixture.ts';
import { shortNames } from './domains.ts';

it.each([
  ['default.svc.cluster.local', 'web.default.svc.cluster.local', ['web', 'web.default.svc', 'web.default']],
  ['other.svc.cluster.local', 'web.default.svc.cluster.local', ['web.default', 'web.default.svc']],
  ['default.svc.cluster.local', 'web.com', []],
  ['local.campus.net', 'foo.local.campus.net', ['foo']],
  ['remote.campus.net', 'foo.local.campus.net', ['foo.local', 'foo.local.campus']],
  ['example.com', 'foo.local.campus.net', []],
])('from %s, %s is also %j', (domain, hostname, expected) => {
  const node = { ...sidecar(), id: `sidecar~10.0.0.1~web-0.default~${domain}` };
  expect(shortNames(createContext(modelOf(''), node), hostname)).toEqual(expected);
});
