import { buildSnapshot, parseDocuments } from '@mizzen/api';
import { buildModel } from '@mizzen/model';
import { expect, test } from 'vitest';
import { checkKeys } from './key-check.ts';
import { resolveFileSecret } from './file-secrets.ts';

const policy = (rule: string): string =>
  `apiVersion: security.istio.io/v1\nkind: RequestAuthentication\nmetadata: { name: a }\nspec: { jwtRules: [{ issuer: i, ${rule} }] }\n`;
const entry = `---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: keys }
spec: { hosts: [keys.test], resolution: DNS, ports: [{ number: 443, name: https, protocol: HTTPS }] }
`;
const rule = `---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: keys }
spec: { host: keys.test, trafficPolicy: { tls: { mode: SIMPLE } } }
`;

function problems(yaml: string): string[] {
  const { resources, diagnostics } = parseDocuments('a.yaml', yaml);
  expect(diagnostics).toEqual([]);
  return checkKeys(buildModel(buildSnapshot(resources, { version: 1 }).snapshot)).map(({ message }) => message);
}

test('keys that a sidecar cannot fetch', () => {
  const at = policy('jwksUri: "https://keys.test/jwks"');
  expect(problems(at)).toEqual(['no token of `i` is accepted: the mesh does not know `keys.test`, where its keys are']);
  expect(problems(`${at}${entry}`)).toEqual([
    'no token of `i` is accepted: nothing says to speak TLS to `keys.test`, where its keys are',
  ]);
  expect(problems(`${at}${entry}${rule}`)).toEqual([]);
  expect(problems(`${policy('jwksUri: "http://keys.test/jwks"')}${entry}`)).toEqual([
    'no token of `i` is accepted: `keys.test` has no port 80, where its keys are',
  ]);
  expect(problems(policy('jwks: "{}"'))).toEqual([]);
});

test('roots from a file that is not there are a problem, those of the system are not a file', () => {
  expect(resolveFileSecret('file-root:system')).toEqual({
    secret: { name: 'file-root:system', validationContext: { systemRootCerts: {} } },
  });
  expect(resolveFileSecret('file-root:/nowhere/ca.pem')).toMatchObject({ unusable: true });
  expect(resolveFileSecret('default')).toBeUndefined();
});
