import type { Clock } from '../deps.ts';
import type { Piece } from './log-format.ts';

/** Envoy's levels, least important first. */
export const LEVELS = ['trace', 'debug', 'info', 'warning', 'error', 'critical', 'off'] as const;
export type Level = (typeof LEVELS)[number];

/** Parts of the proxy that say something, by the names that Envoy has for them. */
export type Component = 'admin' | 'config' | 'main' | 'upstream';

/** Envoy's loggers, in its order: each has a level that can be set, and those that are a Component have something to say. */
export const LOGGERS: readonly string[] = `a2a admin ai_protocol_manager alternate_protocols_cache aws assert backtrace
  basic_auth cache_filter client config connection conn_handler compression credential_injector decompression dns dubbo
  envoy_bug ext_authz ext_proc rocketmq file filter forward_proxy geolocation grpc happy_eyeballs hc health_checker http
  http2 hystrix init io jwt json_rpc kafka key_value_store lua local_rate_limit main matcher mcp misc mongo
  multi_connection notification oauth2 quic quic_stream pool rate_limit_quota rbac rds redis router runtime stats secret
  sse tap testing thrift tracing upstream udp wasm websocket golang stats_sinks dynamic_modules ip_tagging`.split(
  /\s+/,
);

/** Messages for whoever runs the proxy, one a line. */
export class Logger {
  readonly #clock: Clock;
  readonly #format: readonly Piece[];
  readonly #write: (text: string) => void;
  readonly #levels = new Map<string, Level>();
  /** When the last line was written, milliseconds. */
  #last: number;

  constructor(clock: Clock, format: readonly Piece[], level: Level, write: (text: string) => void) {
    this.#clock = clock;
    this.#format = format;
    this.#write = write;
    this.#last = clock.wall();
    this.setAll(level);
  }

  log(component: Component, level: Exclude<Level, 'off'>, message: string): void {
    if (LEVELS.indexOf(level) < LEVELS.indexOf(this.#levels.get(component)!)) return;
    const now = this.#clock.wall();
    const line = { time: new Date(now), level, component, message, elapsed: now - this.#last };
    this.#last = now;
    this.#write(`${this.#format.map((piece) => piece(line)).join('')}\n`);
  }

  setAll(level: Level): void {
    for (const logger of LOGGERS) this.#levels.set(logger, level);
  }

  /** One of LOGGERS. */
  set(logger: string, level: Level): void {
    this.#levels.set(logger, level);
  }

  levels(): readonly (readonly [string, Level])[] {
    return [...this.#levels];
  }
}

/** `warn` is `warning`; undefined for a name that is none. */
export function levelOf(name: string): Level | undefined {
  return name === 'warn' ? 'warning' : LEVELS.find((level) => level === name);
}
