import type { Health } from './api.ts';

const collator = new Intl.Collator('en', { numeric: true });

/** Compares names as people count: `svc-2` comes before `svc-10`. Of two names that differ, one is first. */
export const byName = (a: string, b: string): number => collator.compare(a, b) || (a < b ? -1 : a > b ? 1 : 0);

/** `0.4/s`, `12/s`, `1.2k/s` */
export function rate(value: number): string {
  return `${short(value)}/s`;
}

export function short(value: number): string {
  if (value === 0) return '0';
  if (value < 0.05) return '<0.1';
  if (value < 10) return value.toFixed(1);
  if (value < 1000) return value.toFixed(0);
  return value < 1e6 ? `${(value / 1000).toFixed(1)}k` : `${(value / 1e6).toFixed(1)}M`;
}

export function percent(part: number, whole: number): string {
  if (whole === 0) return '0%';
  const value = (part / whole) * 100;
  return value === 0 ? '0%' : value < 0.1 ? '<0.1%' : `${value < 10 ? value.toFixed(1) : value.toFixed(0)}%`;
}

export function milliseconds(value: number | null): string {
  if (value === null) return '–';
  if (value < 1) return '<1 ms';
  return value < 1000 ? `${value.toFixed(0)} ms` : `${(value / 1000).toFixed(1)} s`;
}

/** `3 min`, `2 h`, `5 d`: the largest unit that fits. */
export function age(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
  return `${Math.floor(seconds / 86_400)} d ${Math.floor((seconds % 86_400) / 3600)} h`;
}

/** Beside the colour, so that health can be told without it. */
export const HEALTH_MARK: Readonly<Record<Health, string>> = {
  healthy: '●',
  degraded: '▲',
  failing: '■',
  idle: '○',
};

const PROTOCOLS: Readonly<Record<string, string>> = {
  http: 'HTTP',
  http2: 'HTTP/2',
  grpc: 'gRPC',
  'grpc-web': 'gRPC-Web',
};

export function protocol(name: string): string {
  return PROTOCOLS[name] ?? (name === 'auto' ? 'sniffed' : name.toUpperCase());
}
