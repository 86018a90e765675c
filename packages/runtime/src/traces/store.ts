import type { Clock } from '@mizzen/control-plane';
import { byName } from '../terminal/by-name.ts';
import type { Span } from './span.ts';

export interface StoreLimits {
  /** Of all spans together, about. */
  readonly bytes: number;
  /** Since a trace was first heard of, milliseconds. */
  readonly age: number;
  /** Of one trace; what is more is counted and dropped. */
  readonly spansOfTrace: number;
}

export const LIMITS: StoreLimits = { bytes: 64 * 1024 * 1024, age: 60 * 60 * 1000, spansOfTrace: 5000 };

/** Spans of one request's way, with what lists are filtered by. Times are microseconds since 1970. */
export interface Trace {
  readonly id: string;
  readonly spans: readonly Span[];
  readonly start: number;
  readonly end: number;
  /** Spans with an error. */
  readonly errors: number;
  /** By service, how many spans. */
  readonly services: ReadonlyMap<string, number>;
  /** What the request was called by who let it in, if a span says. */
  readonly requestId: string;
}

export interface TraceFilter {
  readonly service?: string;
  /** Microseconds. */
  readonly minDuration?: number;
  readonly maxDuration?: number;
  /** Only those with, or without, a span that has an error. */
  readonly error?: boolean;
  /** Of HTTP, of any of its spans: `503`, or `5` for all of 500 to 599. */
  readonly status?: number;
  /** Microseconds since 1970 that it began at. */
  readonly since?: number;
  readonly until?: number;
  readonly limit: number;
}

/** What the store holds. */
export interface Kept {
  readonly traces: number;
  readonly spans: number;
  readonly bytes: number;
  /** Spans that came and are no longer, or never were, there. */
  readonly dropped: number;
}

interface Entry {
  readonly id: string;
  readonly spans: Map<string, Span>;
  readonly services: Map<string, number>;
  readonly statuses: Set<number>;
  readonly received: number;
  start: number;
  end: number;
  errors: number;
  bytes: number;
  requestId: string;
  /** The next that was heard of. */
  next: Entry | undefined;
}

const REQUEST_ID = 'guid:x-request-id';

/** The traces of the last while, within bounds of bytes and of age. What came first goes first. */
export class TraceStore {
  readonly #clock: Clock;
  readonly #limits: StoreLimits;
  readonly #also: (spans: readonly Span[]) => void;
  readonly #traces = new Map<string, Entry>();
  /** The first and the last of those there are, in the order they were first heard of. */
  #oldest: Entry | undefined;
  #newest: Entry | undefined;
  readonly #byService = new Map<string, Set<Entry>>();
  readonly #byRequest = new Map<string, string>();
  #bytes = 0;
  #spans = 0;
  #dropped = 0;

  /** `also`: gets all spans that come, kept or not. */
  constructor(clock: Clock, limits: StoreLimits = LIMITS, also: (spans: readonly Span[]) => void = () => {}) {
    this.#clock = clock;
    this.#limits = limits;
    this.#also = also;
  }

  get kept(): Kept {
    this.#expire();
    return { traces: this.#traces.size, spans: this.#spans, bytes: this.#bytes, dropped: this.#dropped };
  }

  get limits(): StoreLimits {
    return this.#limits;
  }

  add(spans: readonly Span[]): void {
    this.#also(spans);
    for (const span of spans) this.#add(span);
    this.#expire();
    while (this.#oldest !== undefined && this.#bytes > this.#limits.bytes) this.#drop(this.#oldest);
  }

  /** By its id, or by the id of its request (`x-request-id`). */
  get(id: string): Trace | undefined {
    this.#expire();
    const key = id.toLowerCase();
    const found =
      this.#traces.get(key.padStart(32, '0')) ?? this.#traces.get(this.#byRequest.get(requestKey(key)) ?? '');
    return found === undefined ? undefined : view(found);
  }

  /** The newest first. */
  list(filter: TraceFilter): Trace[] {
    this.#expire();
    const { service, limit } = filter;
    const all = service === undefined ? this.#traces.values() : (this.#byService.get(service) ?? []);
    return [...all]
      .filter((entry) => fits(entry, filter))
      .toSorted((a, b) => b.start - a.start)
      .slice(0, limit)
      .map(view);
  }

  services(): string[] {
    this.#expire();
    return [...this.#byService.keys()].toSorted(byName);
  }

  #add(span: Span): void {
    const entry = this.#traces.get(span.traceId) ?? this.#begin(span);
    // Both sides of a call may share one id; what comes twice is kept once.
    const key = `${span.id} ${span.kind} ${span.service}`;
    if (entry.spans.has(key) || entry.spans.size >= this.#limits.spansOfTrace) {
      this.#dropped++;
      return;
    }
    entry.spans.set(key, span);
    entry.start = Math.min(entry.start, span.start);
    entry.end = Math.max(entry.end, span.start + span.duration);
    if (span.error) entry.errors++;
    if (span.status !== 0) entry.statuses.add(span.status);
    const known = entry.services.get(span.service) ?? 0;
    entry.services.set(span.service, known + 1);
    if (known === 0) this.#index(span.service, entry);
    const request = span.tags[REQUEST_ID]?.toLowerCase();
    if (request !== undefined && request !== '' && entry.requestId === '') {
      entry.requestId = request;
      this.#byRequest.set(requestKey(request), entry.id);
    }
    const size = sizeOf(span);
    entry.bytes += size;
    this.#bytes += size;
    this.#spans++;
  }

  #begin({ traceId, start, duration }: Span): Entry {
    const entry: Entry = {
      id: traceId,
      spans: new Map(),
      services: new Map(),
      statuses: new Set(),
      received: this.#clock.now(),
      start,
      end: start + duration,
      errors: 0,
      bytes: 0,
      requestId: '',
      next: undefined,
    };
    this.#traces.set(traceId, entry);
    if (this.#newest === undefined) this.#oldest = entry;
    else this.#newest.next = entry;
    this.#newest = entry;
    return entry;
  }

  #index(service: string, entry: Entry): void {
    let entries = this.#byService.get(service);
    if (entries === undefined) this.#byService.set(service, (entries = new Set()));
    entries.add(entry);
  }

  #expire(): void {
    const since = this.#clock.now() - this.#limits.age;
    while (this.#oldest !== undefined && this.#oldest.received < since) this.#drop(this.#oldest);
  }

  /** The oldest. */
  #drop(entry: Entry): void {
    this.#oldest = entry.next;
    if (this.#oldest === undefined) this.#newest = undefined;
    this.#traces.delete(entry.id);
    this.#bytes -= entry.bytes;
    this.#spans -= entry.spans.size;
    this.#dropped += entry.spans.size;
    const request = requestKey(entry.requestId);
    if (this.#byRequest.get(request) === entry.id) this.#byRequest.delete(request);
    for (const service of entry.services.keys()) {
      const entries = this.#byService.get(service);
      entries?.delete(entry);
      if (entries?.size === 0) this.#byService.delete(service);
    }
  }
}

/** Proxies write into the 15th digit of a request's id whether it is traced; who sent it knows it by another one. */
function requestKey(id: string): string {
  return id.length === 36 ? `${id.slice(0, 14)}-${id.slice(15)}` : id;
}

function fits(entry: Entry, { minDuration, maxDuration, error, status, since, until }: TraceFilter): boolean {
  const duration = entry.end - entry.start;
  return (
    duration >= (minDuration ?? 0) &&
    duration <= (maxDuration ?? Infinity) &&
    (error === undefined || error === entry.errors > 0) &&
    (status === undefined || hasStatus(entry.statuses, status)) &&
    entry.start >= (since ?? 0) &&
    entry.start <= (until ?? Infinity)
  );
}

function hasStatus(statuses: ReadonlySet<number>, wanted: number): boolean {
  if (wanted >= 10) return statuses.has(wanted);
  for (const status of statuses) if (Math.floor(status / 100) === wanted) return true;
  return false;
}

function view({ id, spans, services, start, end, errors, requestId }: Entry): Trace {
  return { id, spans: [...spans.values()], services, start, end, errors, requestId };
}

/** Of a span and of what leads to it. */
const FIXED = 600;
const PER_TAG = 70;

/** About as much as it takes of memory. */
function sizeOf(span: Span): number {
  let size = FIXED + span.name.length + span.service.length;
  for (const [key, value] of Object.entries(span.tags)) size += PER_TAG + key.length + value.length;
  for (const { name } of span.events) size += PER_TAG + name.length;
  return size;
}
