/** Where a pod's own metrics are, as its annotations say. */
export interface AnnouncedMetrics {
  readonly port: number;
  readonly path: string;
  /** `prometheus.io/scrape` says yes in so many words, as Prometheus wants it where no sidecar merges anything. */
  readonly asked: boolean;
}

/** Where pods have their metrics, as Istio's agent has them: annotations that lead there announce nothing. */
export const METRICS_PORT = 15020;

const NO = new Set(['0', 'f', 'F', 'false', 'False', 'FALSE']);

/**
 * As Istio's injection and agent read them: each annotation in every spelling that Prometheus makes the same label of
 * (`prometheus.io/port`, `prometheus.io.port`, `prometheus_io_port`), and any of them announces metrics unless `scrape`
 * says no.
 */
export function announcedMetrics(annotations: Readonly<Record<string, string>>): AnnouncedMetrics | undefined {
  const said = new Map(
    Object.entries(annotations).map(([name, value]) => [name.replaceAll(/[^a-zA-Z0-9_]/g, '_'), value]),
  );
  const scrape = said.get('prometheus_io_scrape');
  const [port, path] = [said.get('prometheus_io_port'), said.get('prometheus_io_path')];
  if ((scrape ?? port ?? path) === undefined || (scrape !== undefined && NO.has(scrape))) return undefined;
  const number = Number(port || 80);
  if (!Number.isInteger(number) || number === METRICS_PORT) return undefined;
  return { port: number, path: path || '/metrics', asked: scrape === 'true' };
}
