/** What a host says in a response of how loaded it is, as Open Request Cost Aggregation (ORCA) has it. */
export interface LoadReport {
  applicationUtilization: number;
  cpuUtilization: number;
  memUtilization: number;
  rpsFractional: number;
  eps: number;
  readonly namedMetrics: Map<string, number>;
  readonly utilization: Map<string, number>;
  readonly requestCost: Map<string, number>;
}

export type LoadMap = 'namedMetrics' | 'utilization' | 'requestCost';
type LoadNumber = Exclude<keyof LoadReport, LoadMap>;

const FIELD = 'endpoint-load-metrics';
const BINARY_FIELD = 'endpoint-load-metrics-bin';
const NAMED = 'named_metrics.';
const DECIMAL = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
const HEXADECIMAL = /^([+-]?)0x([\da-f]*)\.?([\da-f]*)(?:p([+-]?\d+))?$/i;
const NOT_FINITE = /^(NaN|-?Infinity)$/;
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;

const NUMBERS: Readonly<Record<string, LoadNumber>> = {
  application_utilization: 'applicationUtilization',
  cpu_utilization: 'cpuUtilization',
  mem_utilization: 'memUtilization',
  rps_fractional: 'rpsFractional',
  eps: 'eps',
};
const MAPS: Readonly<Record<string, LoadMap>> = {
  named_metrics: 'namedMetrics',
  utilization: 'utilization',
  request_cost: 'requestCost',
};
/** By field number in the protobuf. */
const NUMBERED: Readonly<Record<number, LoadNumber>> = {
  1: 'cpuUtilization',
  2: 'memUtilization',
  6: 'rpsFractional',
  7: 'eps',
  9: 'applicationUtilization',
};
const NUMBERED_MAPS: Readonly<Record<number, LoadMap>> = { 4: 'requestCost', 5: 'utilization', 8: 'namedMetrics' };

/** Reads the fields of a head, or trailers; undefined where there is no report that holds together. */
export function readLoadReport(flat: readonly string[]): LoadReport | undefined {
  const binary = first(flat, BINARY_FIELD);
  if (binary !== undefined) return ofBinary(binary);
  const said = first(flat, FIELD);
  if (said === undefined) return undefined;
  const value = said.slice(said.indexOf(' ') + 1);
  if (said.startsWith('TEXT ')) return ofText(value);
  if (said.startsWith('JSON ')) return ofJson(Buffer.from(value, 'latin1').toString());
  return said.startsWith('BIN ') ? ofBinary(value) : undefined;
}

/** What `cpu_utilization`, `named_metrics.x` or `utilization.*` stands for. */
export function valuesOf(report: LoadReport, metric: string): Iterable<number> {
  const number = own(NUMBERS, metric);
  if (number !== undefined) return [report[number]];
  const dot = metric.indexOf('.');
  const map = dot < 0 ? undefined : own(MAPS, metric.slice(0, dot));
  if (map === undefined) return [];
  const key = metric.slice(dot + 1);
  if (key === '*') return report[map].values();
  const value = report[map].get(key);
  return value === undefined ? [] : [value];
}

function first(flat: readonly string[], name: string): string | undefined {
  for (let i = 0; i < flat.length; i += 2) if (flat[i] === name) return flat[i + 1];
  return undefined;
}

function own<T>(table: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined;
}

function empty(): LoadReport {
  return {
    applicationUtilization: 0,
    cpuUtilization: 0,
    memUtilization: 0,
    rpsFractional: 0,
    eps: 0,
    namedMetrics: new Map(),
    utilization: new Map(),
    requestCost: new Map(),
  };
}

/** `cpu_utilization=0.3, named_metrics.queue=7`: whatever is wrong with one of them spoils all. */
function ofText(text: string): LoadReport | undefined {
  const report = empty();
  const seen = new Set<string>();
  for (const entry of text.split(',').map((part) => part.trim())) {
    if (entry === '') continue;
    const at = entry.search(/[:=]/);
    const name = at < 0 ? entry : entry.slice(0, at);
    const digits = at < 0 ? '' : entry.slice(at + 1).trim();
    const value = DECIMAL.test(digits) ? Number(digits) : hexadecimal(digits);
    if (seen.has(name) || !Number.isFinite(value) || value < 0) return undefined;
    seen.add(name);
    const number = own(NUMBERS, name);
    if (number !== undefined) report[number] = value;
    else if (name.startsWith(NAMED) && name !== NAMED) report.namedMetrics.set(name.slice(NAMED.length), value);
    else return undefined;
  }
  return report;
}

/** `0x1.8p3`, as Envoy reads numbers, too. */
function hexadecimal(digits: string): number {
  const [, sign, whole = '', fraction = '', exponent = '0'] = HEXADECIMAL.exec(digits) ?? [];
  if (whole + fraction === '') return NaN;
  const value = Number.parseInt(whole + fraction, 16) * 2 ** (Number(exponent) - 4 * fraction.length);
  return sign === '-' ? -value : value;
}

function ofJson(text: string): LoadReport | undefined {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isObject(json)) return undefined;
  const report = empty();
  for (const [given, value] of Object.entries(json)) {
    if (value === null) continue;
    const name = given.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
    const number = own(NUMBERS, name);
    const map = own(MAPS, name);
    if (number !== undefined) {
      const read = numberIn(value);
      if (read === undefined) return undefined;
      report[number] = read;
    } else if (map !== undefined) {
      if (!isObject(value)) return undefined;
      for (const [key, one] of Object.entries(value)) {
        const read = numberIn(one);
        if (read === undefined) return undefined;
        report[map].set(key, read);
      }
    } else if (name !== 'rps') return undefined;
  }
  return report;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function numberIn(value: unknown): number | undefined {
  if (typeof value === 'number') return value;
  return typeof value === 'string' && (DECIMAL.test(value) || NOT_FINITE.test(value)) ? Number(value) : undefined;
}

function ofBinary(encoded: string): LoadReport | undefined {
  if (!BASE64.test(encoded) || encoded.length % 4 !== 0) return undefined;
  const bytes = Buffer.from(encoded, 'base64');
  const report = empty();
  const good = eachField(bytes, 0, bytes.length, (field, at, end) => {
    const number = NUMBERED[field];
    const map = NUMBERED_MAPS[field];
    if (number !== undefined && end - at === 8) report[number] = bytes.readDoubleLE(at);
    if (map === undefined) return true;
    let key = '';
    let value = 0;
    const whole = eachField(bytes, at, end, (inner, from, to) => {
      if (inner === 1) key = bytes.toString('utf8', from, to);
      else if (inner === 2 && to - from === 8) value = bytes.readDoubleLE(from);
      return true;
    });
    report[map].set(key, value);
    return whole;
  });
  return good ? report : undefined;
}

/** Goes through the fields of a protobuf message; false where it is none. */
function eachField(
  bytes: Buffer,
  start: number,
  end: number,
  take: (field: number, at: number, end: number) => boolean,
): boolean {
  let at = start;
  const varint = (): number => {
    let value = 0;
    for (let factor = 1; at < end; factor *= 128) {
      const byte = bytes[at++]!;
      value += (byte & 127) * factor;
      if (byte < 128) return value;
    }
    return NaN;
  };
  while (at < end) {
    const tag = varint();
    const from = at;
    let size: number;
    if (tag % 8 === 0) size = Number.isNaN(varint()) ? NaN : at - from;
    else if (tag % 8 === 1) size = 8;
    else if (tag % 8 === 5) size = 4;
    else size = tag % 8 === 2 ? varint() : NaN;
    const begin = tag % 8 === 2 ? at : from;
    if (!(begin + size <= end) || !take(Math.floor(tag / 8), begin, begin + size)) return false;
    at = begin + size;
  }
  return true;
}
