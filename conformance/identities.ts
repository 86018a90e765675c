import {
  testAuthority,
  type TestAuthority,
  type TestCertificate,
} from '../packages/proxy/src/tls/testing/certificates.ts';

/** Who there is: the authority that vouches for it, its alternative names, and its own where that says more. */
const IDENTITIES = {
  server: ['mesh', 'URI:spiffe://cluster.local/ns/a/sa/server,DNS:server.test,DNS:*.wild.test'],
  other: ['mesh', 'URI:spiffe://cluster.local/ns/a/sa/other,DNS:other.test'],
  client: ['mesh', 'URI:spiffe://cluster.local/ns/a/sa/client,DNS:client.test'],
  twofold: ['mesh', 'URI:spiffe://cluster.local/ns/a/sa/one,URI:spiffe://cluster.local/ns/a/sa/two,DNS:server.test'],
  unnamed: ['mesh', 'IP:10.0.0.1', '/'],
  peculiar: [
    'mesh',
    'URI:spiffe://cluster.local/a;b=1,URI:spiffe://cluster.local/b,DNS:a.test,DNS:*.b.test,IP:10.0.0.1,IP:::1,IP:::ffff:10.0.0.2,email:m@n.o',
    '/C=DE/O=A, "B" <C>;D=E#\\\\/O=Ünï+L=third+OU=pl\\+us/jurisdictionC=US/organizationIdentifier=oi/1.2.3.4.5=mine/emailAddress=m@n.o/CN= 日本 ',
  ],
  strange: [
    'mesh',
    'RID:1.2.3.4,URI:spiffe://cluster.local/ü,DNS:ü.test,otherName:1.2.3.4;UTF8:one@corp,otherName:1.2.3.4;BITSTR:user,otherName:1.2.3.4;UNIV:wide,otherName:1.2.3.5;NUMERIC:123',
  ],
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
  const [by, names, subject] = IDENTITIES[name as keyof typeof IDENTITIES] as readonly [string, string, string?];
  certificates.set(name, (found = authority(by).issue(name, names, subject === undefined ? {} : { subject })));
  return found;
}
