import { certificatesIn } from './certificates.ts';
import { type Dump, list, message, type Raw, text } from './read-dump.ts';
import { tabulate } from './tabulate.ts';

/** One certificate, as a row says it. */
interface Item {
  readonly name: string;
  readonly type: string;
  readonly state: 'ACTIVE' | 'WARMING';
  readonly valid: boolean;
  readonly serial: string;
  readonly notAfter: string;
  readonly notBefore: string;
  /** Only where a secret has roots of several trust domains. */
  readonly trustDomain: string;
}

/** The secrets that a proxy has or waits for. `now`: milliseconds since the epoch. @throws DumpError */
export function secretTable(dump: Dump, now: number, prefixed = false): string {
  const part = dump.part('SecretsConfigDump');
  const items = [
    ...list(part, 'dynamicWarmingSecrets').flatMap((each) => itemsOf(each, 'WARMING', now)),
    ...list(part, 'dynamicActiveSecrets').flatMap((each) => itemsOf(each, 'ACTIVE', now)),
  ];
  if (items.length === 0) return 'No active or warming secrets found.\n';
  const domains = items.some(({ trustDomain }) => trustDomain !== '');
  const head = ['RESOURCE NAME', 'TYPE', 'STATUS', 'VALID CERT', 'SERIAL NUMBER', 'NOT AFTER', 'NOT BEFORE'];
  const rows = items.map(({ name, type, state, valid, serial, notAfter, notBefore, trustDomain }) => [
    `${prefixed ? 'secret/' : ''}${name}`,
    type,
    state,
    String(valid),
    serial,
    notAfter,
    notBefore,
    ...(domains ? [trustDomain] : []),
  ]);
  return tabulate([domains ? [...head, 'TRUST DOMAIN'] : head, ...rows], 5);
}

function itemsOf(entry: Raw, state: Item['state'], now: number): Item[] {
  const secret = message(entry, 'secret');
  const name = text(entry, 'name') === '' ? text(secret, 'name') : text(entry, 'name');
  const context = message(secret, 'validationContext');
  const bundles = list(message(context, 'customValidatorConfig', 'typedConfig'), 'trustDomains');
  if (bundles.length > 0) {
    return bundles.map((bundle) => item(name, state, bytes(message(bundle, 'trustBundle')), now, text(bundle, 'name')));
  }
  const chain = bytes(message(secret, 'tlsCertificate', 'certificateChain'));
  return [item(name, state, chain === '' ? bytes(message(context, 'trustedCa')) : chain, now, '')];
}

/** A DataSource's text; only what is inside the dump is read. */
function bytes(source: Raw): string {
  const inline = source['inlineBytes'];
  return typeof inline === 'string' ? Buffer.from(inline, 'base64').toString('utf8') : text(source, 'inlineString');
}

function item(name: string, state: Item['state'], pem: string, now: number, trustDomain: string): Item {
  const nothing = { type: '', valid: false, serial: '', notAfter: '', notBefore: '' };
  const [certificate] = certificatesIn(pem);
  if (certificate === undefined) return { name, state, trustDomain, ...nothing };
  const [from, to] = [Date.parse(certificate.validFrom), Date.parse(certificate.validTo)];
  return {
    name,
    state,
    trustDomain,
    type: certificate.ca ? 'CA' : 'Cert Chain',
    valid: from < now && now < to,
    serial: certificate.serialNumber.toLowerCase(),
    notAfter: seconds(to),
    notBefore: seconds(from),
  };
}

/** RFC 3339 in whole seconds. */
function seconds(time: number): string {
  return new Date(time).toISOString().replace(/\.\d+Z$/, 'Z');
}
