import { isIPv6, isIPv4 } from 'node:net';

/** `10.1.2.3` with 24 → `10.1.2.0/24`. */
export function maskAddress(address: string, v4: number, v6: number): string {
  if (isIPv4(address)) {
    const bytes = address.split('.').map(Number);
    return `${keepBits(bytes, 8, v4).join('.')}/${v4}`;
  }
  if (!isIPv6(address)) return address;
  const groups = keepBits(groupsOf(address), 16, v6);
  return `${written(groups)}/${v6}`;
}

/** As `inet_ntop` writes it: the end of an IPv4 address within one is dotted. */
function written(groups: readonly number[]): string {
  const zeros = groups.findIndex((group) => group !== 0);
  const [high, low] = [groups[6]!, groups[7]!];
  if (zeros === 6 || (zeros === 5 && groups[5] === 0xffff))
    return `::${zeros === 5 ? 'ffff:' : ''}${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`;
  return new URL(`http://[${groups.map((group) => group.toString(16)).join(':')}]/`).hostname.slice(1, -1);
}

function keepBits(parts: readonly number[], width: number, bits: number): number[] {
  return parts.map((part, i) => {
    const kept = Math.min(width, Math.max(0, bits - i * width));
    return part & (((1 << kept) - 1) << (width - kept));
  });
}

function groupsOf(address: string): number[] {
  const text = new URL(`http://[${address.replace(/%.*$/, '')}]/`).hostname.slice(1, -1);
  const [before = '', after] = text.split('::');
  const read = (part: string): number[] => (part === '' ? [] : part.split(':').map((group) => parseInt(group, 16)));
  const head = read(before);
  const tail = after === undefined ? [] : read(after);
  return [...head, ...Array.from({ length: 8 - head.length - tail.length }, () => 0), ...tail];
}
