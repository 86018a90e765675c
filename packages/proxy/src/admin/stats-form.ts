import { text, type AdminAnswer } from './context.ts';

const FORMATS = ['text', 'json', 'prometheus', 'html', 'active-html'];
const TYPES = ['All', 'Counters', 'Gauges', 'Histograms', 'TextReadouts'];
const MODES = ['cumulative', 'disjoint', 'detailed', 'summary', 'none', 'prometheusnative'];
const HIDDEN = ['include', 'only', 'exclude'];

/** How statistics are asked for. */
export interface StatsForm {
  readonly format: string;
  readonly type: string;
  /** '': as is usual for the format. */
  readonly buckets: string;
  /** Only what is hidden is asked for, and nothing is. */
  readonly hiddenOnly: boolean;
}

/** What the parameters of `/stats` ask for, or what is wrong with the first of them, in Envoy's order. */
export function statsForm(query: URLSearchParams, prometheusOnly: boolean): StatsForm | AdminAnswer {
  // One without a value asks for nothing.
  const given = (name: string, otherwise: string): string => query.get(name) || otherwise;
  const buckets = given('histogram_buckets', '');
  if (buckets !== '' && !MODES.includes(buckets))
    return text('usage: /stats?histogram_buckets=(cumulative|disjoint|detailed|summary|prometheusnative)\n', 400);
  const type = given('type', 'All');
  if (!TYPES.includes(type)) return text('invalid &type= param', 400);
  const hidden = given('hidden', 'exclude');
  if (!HIDDEN.includes(hidden)) return text('usage: /stats?hidden=(include|only|exclude)\n\n', 400);
  const asked = given('format', 'text');
  if (!FORMATS.includes(asked)) return text('usage: /stats?format=(html|active-html|json|prometheus|text)\n\n', 400);
  const format = prometheusOnly ? 'prometheus' : asked;
  const refused = unfit(format, buckets);
  if (refused !== undefined) return text(refused, 400);
  return { format, type, buckets, hiddenOnly: hidden === 'only' };
}

/** Why histograms do not come like that in this format. */
function unfit(format: string, buckets: string): string | undefined {
  if (format !== 'prometheus')
    return buckets === 'prometheusnative' ? 'Invalid histogram_buckets type for non prometheus stats type' : undefined;
  if (buckets === 'prometheusnative')
    return 'unsupported prometheusnative histogram type when not using protobuf exposition format';
  return buckets === 'disjoint' || buckets === 'detailed' ? 'unsupported prometheus histogram bucket mode' : undefined;
}
