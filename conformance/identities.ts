import {
  testAuthority,
  type TestAuthority,
  type TestCertificate,
} from '../packages/proxy/src/tls/testing/certificates.ts';

/** Who there is: the authority that vouches for it, and its names. */
const IDENTITIES = {
  server: ['mesh', 'URI:spiffe://cluster.local/ns/a/sa/server,DNS:server.test,DNS:*.wild.test'],
  other: ['mesh', 'URI:spiffe://cluster.local/ns/a/sa/other,DNS:other.test'],
  client: ['mesh', 'URI:spiffe://cluster.local/ns/a/sa/client,DNS:client.test'],
  rogue: ['elsewhere', 'URI:spiffe://cluster.local/ns/a/sa/client,DNS:client.test'],
} as const;

const authorities = new Map<string, TestAuthority>();
const certificates = new Map<string, TestCertificate>();

/** The certificate authority of that name, made on first use. */
export function authority(name: string): TestAuthority {
  let found = authorities.get(name);
  if (found === undefined) authorities.set(name, (found = testAuthority(name)));
  return found;
}

/** The certificate and key of an identity, made on first use. */
export function identity(name: string): TestCertificate {
  let found = certificates.get(name);
  if (found !== undefined) return found;
  if (!(name in IDENTITIES)) throw new Error(`there is no identity \`${name}\``);
  const [by, names] = IDENTITIES[name as keyof typeof IDENTITIES];
  certificates.set(name, (found = authority(by).issue(name, names)));
  return found;
}
