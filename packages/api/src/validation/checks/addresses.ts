import { isIP, isIPv4, isIPv6 } from 'node:net';
import type { Path } from '@mizzen/diagnostics';
import { BAD_ADDRESS } from '../report.ts';
import type { Report } from '../report.ts';

export const UNIX_PREFIX = 'unix://';

export function isIpAddress(text: string): boolean {
  return isIP(text) !== 0;
}

export function isCidr(text: string): boolean {
  const slash = text.indexOf('/');
  if (slash < 0) return false;
  const address = text.slice(0, slash);
  const length = text.slice(slash + 1);
  if (!/^(?:0|[1-9]\d{0,2})$/.test(length) || address.includes('%')) return false;
  return (isIPv4(address) && Number(length) <= 32) || (isIPv6(address) && Number(length) <= 128);
}

export function checkIpAddress(report: Report, path: Path, text: string): void {
  if (!isIpAddress(text)) report.error(BAD_ADDRESS, path, `\`${text}\` is not an IP address`);
}

/** An address, or a block of them. */
export function checkIpSubnet(report: Report, path: Path, text: string): void {
  if (text.includes('/')) {
    if (!isCidr(text)) report.error(BAD_ADDRESS, path, `\`${text}\` is not a CIDR block`, 'like `10.0.0.0/8`');
  } else checkIpAddress(report, path, text);
}

/** The part after `unix://`. Names that start with `@` are abstract sockets. */
export function checkUnixAddress(report: Report, path: Path, socket: string): void {
  if (socket === '') report.error(BAD_ADDRESS, path, 'the path of a unix socket cannot be empty');
  else if (!socket.startsWith('@') && (!socket.startsWith('/') || socket.endsWith('/'))) {
    report.error(BAD_ADDRESS, path, `\`${socket}\` is not an absolute path to a file`);
  }
}
