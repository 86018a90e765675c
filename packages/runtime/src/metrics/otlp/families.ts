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

const NAME = /^([a-zA-Z_:][\w:]*)[ \t]*(\{)?/;
const LABEL = /[ \t,]*([a-zA-Z_]\w*)[ \t]*=[ \t]*"([^"\\]*(?:\\.[^"\\]*)*)"/y;
const LABELS_END = /[ \t,]*\}/y;
const VALUE = /[ \t]*([^ \t]+)(?:[ \t]+-?\d+)?[ \t]*$/y;
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
    const sample = sampleOf(line);
    if (sample === undefined) continue;
    const { name } = sample;
    const whole = families.get(name.replace(PARTS, ''));
    const family = whole?.type === 'histogram' || whole?.type === 'summary' ? whole : familyOf(name);
    family.samples.push(sample);
  }
  return [...families.values()].filter(({ samples }) => samples.length > 0);
}

/** Part by part, so that a line of an application that is none costs no more than its length. */
function sampleOf(line: string): Sample | undefined {
  const head = NAME.exec(line);
  if (head === null) return undefined;
  let at = head[0].length;
  const labels: [string, string][] = [];
  if (head[2] !== undefined) {
    for (let label = matchAt(LABEL, line, at); label !== null; label = matchAt(LABEL, line, at)) {
      labels.push([label[1]!, unescape(label[2]!)]);
      at = LABEL.lastIndex;
    }
    if (matchAt(LABELS_END, line, at) === null) return undefined;
    at = LABELS_END.lastIndex;
  }
  const written = matchAt(VALUE, line, at)?.[1];
  const value = written === undefined ? undefined : valueOf(written);
  return value === undefined ? undefined : { name: head[1]!, labels, value };
}

function matchAt(sticky: RegExp, line: string, at: number): RegExpExecArray | null {
  sticky.lastIndex = at;
  return sticky.exec(line);
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
