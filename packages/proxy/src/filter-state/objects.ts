import { isIP, isIPv4, isIPv6 } from 'node:net';
import { isAscii } from '../program/values.ts';
import type { FilterStateObject } from './state.ts';

/** Makes an object from text; undefined: the text is not one. */
export type ObjectFactory = (value: string) => FilterStateObject | undefined;

const string: ObjectFactory = (value) => ({ value, text: value, json: inUtf8(value), isString: true });
const hashable: ObjectFactory = (value) => ({ ...string(value)!, hashed: value });
/** Known by its text alone. */
const plain: ObjectFactory = (value) => ({ value, text: value, json: undefined });
const opaque: ObjectFactory = (value) => ({ value, text: undefined, json: undefined });

/** Text in wire form with a blank for what is no UTF-8, as protobuf writes JSON. */
function inUtf8(value: string): string {
  if (isAscii(value)) return value;
  let text = '';
  for (let i = 0; i < value.length;) {
    const lead = value.charCodeAt(i);
    const more = lead < 0x80 ? 0 : lead < 0xc2 || lead > 0xf4 ? -1 : lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : 3;
    let end = i + 1;
    let left = more;
    while (left > 0 && end < value.length && (value.charCodeAt(end++) & 0xc0) === 0x80) left--;
    text += left === 0 ? value.slice(i, end) : ' ';
    i = end;
  }
  return text;
}

const TRUE = new Set(['true', 't', 'yes', 'y', '1']);
const FALSE = new Set(['false', 'f', 'no', 'n', '0']);
const bool: ObjectFactory = (value) => {
  const lower = value.toLowerCase();
  if (TRUE.has(lower)) return { value: 'true', text: 'true', json: true };
  return FALSE.has(lower) ? { value: 'false', text: 'false', json: false } : undefined;
};
const onlyTrue: ObjectFactory = (value) => ({
  value: String(value === 'true'),
  text: String(value === 'true'),
  json: value === 'true',
});

function integer(bits: 32 | 64): ObjectFactory {
  const limit = 1n << BigInt(bits);
  return (value) => {
    const digits = /^\s*\+?(\d+)\s*$/.exec(value)?.[1];
    if (digits === undefined) return undefined;
    const number = BigInt(digits);
    if (number >= limit) return undefined;
    const text = String(number);
    // As JSON has it: what may not fit a number is text.
    return { value: text, text, json: bits === 32 ? Number(number) : text };
  };
}

const address: ObjectFactory = (value) => {
  const parts = /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(value);
  const [, v6, v4, digits] = parts ?? [];
  const ip = v6 ?? v4 ?? '';
  const port = Number(digits);
  if (parts === null || port > 65535 || !(v6 === undefined ? isIPv4(ip) : isIPv6(ip))) return undefined;
  const text = `${v6 === undefined ? ip : `[${ip}]`}:${port}`;
  return { value: text, text, json: undefined, fields: { ip, port }, hashed: text, address: ip };
};
const ip: ObjectFactory = (value) => {
  const version = isIP(value);
  if (version === 0) return undefined;
  return { value, text: version === 6 ? `[${value}]:0` : `${value}:0`, json: undefined, address: value };
};

/** The kinds of objects that can be made from text, by the keys they are known under. */
export const OBJECT_FACTORIES: Readonly<Record<string, ObjectFactory>> = {
  'envoy.string': string,
  'envoy.hashable_string': hashable,
  'envoy.bool': bool,
  'envoy.network.ip': ip,
  'envoy.network.upstream_server_name': plain,
  'envoy.network.upstream_subject_alt_names': plain,
  'envoy.network.application_protocols': opaque,
  'envoy.network.network_namespace': plain,
  'envoy.network.transport_socket.original_dst_address': address,
  'envoy.filters.listener.original_dst.local_ip': address,
  'envoy.filters.listener.original_dst.remote_ip': address,
  'envoy.tcp_proxy.cluster': plain,
  'envoy.tcp_proxy.disable_tunneling': onlyTrue,
  'envoy.tcp_proxy.per_connection_idle_timeout_ms': integer(64),
  'envoy.upstream.dynamic_host': string,
  'envoy.upstream.dynamic_port': integer(32),
  'envoy.ratelimit.hits_addend': integer(32),
};
