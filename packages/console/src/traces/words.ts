import { address } from '../route.ts';
import type { AskedRequest, Span, TraceSummary } from './types.ts';

/** `40 µs`, `2.5 ms`, `120 ms`, `1.2 s` */
export function took(milliseconds: number): string {
  if (milliseconds < 1) return `${(milliseconds * 1000).toFixed(0)} µs`;
  if (milliseconds < 100) return `${milliseconds.toPrecision(3)} ms`;
  return milliseconds < 1000 ? `${milliseconds.toFixed(0)} ms` : `${(milliseconds / 1000).toFixed(2)} s`;
}

export function titleOf({ method, url, name }: TraceSummary): string {
  return method === '' ? name : `${method} ${url}`;
}

/** Of HTTP; where there is none, whether it failed. */
export function outcome({ status, error }: Pick<Span, 'status' | 'error'>): string {
  return status === 0 ? (error ? 'error' : '–') : String(status);
}

export function failed({ status, error }: Pick<Span, 'status' | 'error'>): boolean {
  return error || status >= 500;
}

/** The class that its status is shown with. */
export function toneOf(of: Pick<Span, 'status' | 'error'>): 'bad' | 'refused' | undefined {
  return failed(of) ? 'bad' : of.status >= 400 ? 'refused' : undefined;
}

/** The page that explains a request. */
export function explainAddress({ method, url, pod, namespace, gateway }: AskedRequest): string {
  return address('explain', { method, url, ...(gateway ? {} : { from: pod, namespace }) });
}
