import type { ControlOptions } from '../protocol.ts';
import type { UpOptions } from './options.ts';
import type { StateDir } from './state-dir.ts';

/** Between reports of all metrics to an OTLP receiver. */
const OTLP_INTERVAL_MS = 10_000;
const SPANS_INTERVAL_MS = 1000;

/** What a control process is told to begin with. */
export function controlOptions(options: UpOptions, state: StateDir, token: string, again: boolean): ControlOptions {
  const { files, cwd, meshConfig, stdin, apiPort, consolePort, otlpMetrics, otlpTraces } = options;
  const { gatewayPorts, standIns, inject, engine } = options;
  return {
    files,
    cwd,
    meshConfig,
    ...(stdin === undefined ? {} : { stdin }),
    stateDir: state.path,
    xdsSocket: state.xdsSocket(),
    adsSocket: state.adsSocket(),
    apiPort,
    ...(consolePort === undefined ? {} : { consolePort }),
    ...(otlpMetrics === undefined ? {} : { otlpMetrics: { url: otlpMetrics, interval: OTLP_INTERVAL_MS } }),
    ...(otlpTraces === undefined ? {} : { otlpTraces: { url: otlpTraces, interval: SPANS_INTERVAL_MS } }),
    token,
    gatewayPorts,
    standIns,
    inject,
    engine,
    ...(again ? { again: true } : {}),
  };
}
