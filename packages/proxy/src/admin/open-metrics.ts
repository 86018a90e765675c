export const OPEN_METRICS = 'application/openmetrics-text; version=1.0.0; charset=utf-8';

const LABEL = String.raw`[a-zA-Z_]\w*="(?:[^"\\]|\\.)*"`;
const SAMPLE = new RegExp(
  String.raw`^([a-zA-Z_:][\w:]*)(\{(?:${LABEL}(?:,${LABEL})*)?\})?[ \t]+(\S+)(?:[ \t]+(-?\d+))?( # \{.*)?[ \t]*$`,
);
const ABOUT = /^# (HELP|TYPE|UNIT) (\S+)(?: (.*))?$/;

/**
 * Samples in Prometheus' text format as OpenMetrics has them, less its end: with exemplars as they are, times in seconds,
 * and without comments. Counters that are not named `_total` are of unknown type there. Undefined: some line cannot be
 * understood, and a reader of OpenMetrics would take nothing of it.
 */
export function toOpenMetrics(text: string): string | undefined {
  const lines = text.split('\n');
  const types = new Map<string, string>();
  for (const line of lines) {
    const [, kind, name, type] = ABOUT.exec(line) ?? [];
    if (kind === 'TYPE') types.set(name!, type ?? '');
  }
  const out: string[] = [];
  for (const line of lines) {
    if (line === '' || (line.startsWith('#') && !ABOUT.test(line))) continue;
    if (line.startsWith('#')) {
      const [, kind = '', name = '', rest = ''] = ABOUT.exec(line)!;
      const type = types.get(name);
      const counter = type === 'counter' && name.endsWith('_total');
      const family = counter ? name.slice(0, -'_total'.length) : name;
      out.push(`# ${kind} ${family} ${kind === 'TYPE' ? typeOf(rest, counter) : rest}`);
      continue;
    }
    const found = SAMPLE.exec(line);
    if (found === null) return undefined;
    const [, name, labels = '', value, time, exemplar = ''] = found;
    out.push(`${name}${labels} ${value}${time === undefined ? '' : ` ${Number(time) / 1000}`}${exemplar}`);
  }
  return out.map((line) => `${line}\n`).join('');
}

function typeOf(type: string, counter: boolean): string {
  return type === 'untyped' || (type === 'counter' && !counter) ? 'unknown' : type;
}

/** Whether whoever asks would rather have OpenMetrics. */
export function wantsOpenMetrics(accept: string | undefined): boolean {
  return /(^|,)\s*application\/openmetrics-text\s*(;(?![^,]*\bq=0(\.0*)?\s*(,|$))|,|$)/i.test(accept ?? '');
}
