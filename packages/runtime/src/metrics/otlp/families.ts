/** Metrics of one name, as Prometheus' text format tells them. */
export interface Family {
  readonly name: string;
  type: string;
  help: string;
  readonly samples: Sample[];
}
export interface Sample {
  /** With the ending that parts of histograms have. */
  readonly name: string;
  readonly labels: readonly (readonly [name: string, value: string])[];
  readonly value: number;
}

const SAMPLE = /^([a-zA-Z_:][\w:]*)[ \t]*(?:\{(.*)\})?[ \t]*(\S+)(?:[ \t]+-?\d+)?[ \t]*$/;
const LABEL = /([a-zA-Z_]\w*)\s*=\s*"((?:[^"\\]|\\.)*)"/g;
const ESCAPED: Readonly<Record<string, string>> = { n: '\n' };
const PARTS = /_(bucket|sum|count)$/;

/** What is said in Prometheus' text format 0.0.4; lines that are none of it are passed over. */
export function readFamilies(text: string): Family[] {
  const families = new Map<string, Family>();
  const familyOf = (name: string): Family => {
    let family = families.get(name);
    if (family === undefined) families.set(name, (family = { name, type: 'untyped', help: '', samples: [] }));
    return family;
  };
  for (const line of text.split('\n')) {
    if (line.startsWith('#')) {
      const [, kind, name = '', rest = ''] = /^# (HELP|TYPE) (\S+) ?(.*)$/.exec(line) ?? [];
      if (kind === 'HELP') familyOf(name).help = unescape(rest);
      if (kind === 'TYPE') familyOf(name).type = rest;
      continue;
    }
    const [, name, inside = '', written] = SAMPLE.exec(line) ?? [];
    if (name === undefined) continue;
    const value = valueOf(written!);
    if (value === undefined) continue;
    const whole = families.get(name.replace(PARTS, ''));
    const family = whole?.type === 'histogram' || whole?.type === 'summary' ? whole : familyOf(name);
    const labels = [...inside.matchAll(LABEL)].map(([, key, text]) => [key!, unescape(text!)] as const);
    family.samples.push({ name, labels, value });
  }
  return [...families.values()].filter(({ samples }) => samples.length > 0);
}

function valueOf(text: string): number | undefined {
  if (/^\+?Inf$/i.test(text)) return Infinity;
  if (/^-Inf$/i.test(text)) return -Infinity;
  if (/^NaN$/i.test(text)) return NaN;
  const value = Number(text);
  return Number.isNaN(value) ? undefined : value;
}

function unescape(text: string): string {
  return text.replace(/\\(.)/g, (_, character: string) => ESCAPED[character] ?? character);
}
