import type { TopAnswer, TopTraffic } from '@mizzen/runtime/api/types.ts';
import { byName } from '@mizzen/runtime/terminal/by-name.ts';
import type { Style } from '@mizzen/runtime/terminal/style.ts';
import { fit } from '@mizzen/runtime/terminal/table.ts';

export type What = 'workloads' | 'services';

export const SORTS = ['name', 'rate', 'errors', '4xx', 'p50', 'p99', 'cpu', 'memory', 'restarts'] as const;
export type Sort = (typeof SORTS)[number];
/** Services use no processors of their own. */
export const SERVICE_SORTS: readonly Sort[] = ['name', 'rate', 'errors', '4xx', 'p50', 'p99'];

interface Row extends TopTraffic {
  readonly name: string;
  readonly ready: string;
  readonly cpu: number | null;
  readonly memory: number | null;
  readonly restarts: number;
  readonly state: string;
  readonly trouble: boolean;
}

interface Column {
  readonly title: string;
  /** What it is sorted by; absent: nothing. */
  readonly sort?: Sort;
  readonly left?: true;
  readonly workloads?: true;
  readonly text: (row: Row) => string;
}

const COLUMNS: readonly Column[] = [
  { title: 'NAME', sort: 'name', left: true, text: ({ name }) => name },
  { title: 'READY', workloads: true, left: true, text: ({ ready }) => ready },
  { title: 'REQ/S', sort: 'rate', text: ({ requestRate }) => requestRate.toFixed(1) },
  { title: 'ERR%', sort: 'errors', text: (row) => percent(row, row.errorRate) },
  { title: '4XX%', sort: '4xx', text: (row) => percent(row, row.clientErrorRate) },
  { title: 'P50', sort: 'p50', text: ({ p50 }) => milliseconds(p50) },
  { title: 'P99', sort: 'p99', text: ({ p99 }) => milliseconds(p99) },
  { title: 'CPU%', sort: 'cpu', workloads: true, text: ({ cpu }) => (cpu === null ? '-' : (cpu * 100).toFixed(1)) },
  { title: 'MEMORY', sort: 'memory', workloads: true, text: ({ memory }) => bytes(memory) },
  { title: 'RESTARTS', sort: 'restarts', workloads: true, text: ({ restarts }) => String(restarts) },
  { title: 'STATE', workloads: true, left: true, text: ({ state }) => state },
];

export interface Shown {
  readonly what: What;
  readonly sort: Sort;
  readonly namespace: string | undefined;
}

/** What is of one namespace; undefined: all of it. */
export function ofNamespace(answer: TopAnswer, namespace: string | undefined): TopAnswer {
  if (namespace === undefined) return answer;
  return {
    ...answer,
    workloads: answer.workloads.filter((each) => each.namespace === namespace),
    services: answer.services.filter(({ service }) => service.split('.')[1] === namespace),
    dataPlane: null,
  };
}

/** Lines of the table, header first. What is most comes first; names ascend. */
export function topLines(answer: TopAnswer, shown: Shown, style: Style, width = Infinity): string[] {
  const { what, sort } = shown;
  const shownOf = ofNamespace(answer, shown.namespace);
  const columns = COLUMNS.filter(({ workloads }) => what === 'workloads' || workloads === undefined);
  const rows = sorted(what === 'workloads' ? workloadRows(shownOf) : serviceRows(shownOf), sort);
  const cells = rows.map((row) => columns.map(({ text }) => text(row)));
  const titles = columns.map((column) => (column.sort === sort && sort !== 'name' ? `▾${column.title}` : column.title));
  const widths = titles.map((title, i) => Math.max(title.length, ...cells.map((each) => each[i]!.length)));
  const line = (texts: readonly string[]): string =>
    fit(
      texts
        .map((text, i) => (columns[i]!.left === true ? text.padEnd(widths[i]!) : text.padStart(widths[i]!)))
        .join('  ')
        .trimEnd(),
      width,
    );
  return [
    style('dim', line(titles)),
    ...rows.map((row, i) => (row.trouble ? style('red', line(cells[i]!)) : line(cells[i]!))),
  ];
}

function workloadRows({ workloads, dataPlane }: TopAnswer): Row[] {
  const rows = workloads.map((each): Row => {
    const { ready, replicas } = each;
    const name = each.namespace === 'default' ? each.name : `${each.name}.${each.namespace}`;
    return { ...each, name, ready: `${ready}/${replicas}`, trouble: ready < replicas || failing(each) };
  });
  if (dataPlane === null) return rows;
  const nothing = {
    requestRate: 0,
    errorRate: 0,
    clientErrorRate: 0,
    p50: null,
    p99: null,
    restarts: 0,
    trouble: false,
  };
  return [...rows, { ...nothing, ...dataPlane, name: '(sidecars)', ready: '-', state: 'one process for all' }];
}

function serviceRows({ services }: TopAnswer): Row[] {
  return services.map((each): Row => ({
    ...each,
    name: each.service,
    ready: '',
    cpu: null,
    memory: null,
    restarts: 0,
    state: '',
    trouble: failing(each),
  }));
}

/** One request in ten, as in the graph. */
const failing = ({ requestRate, errorRate }: TopTraffic): boolean => errorRate > 0 && errorRate >= requestRate / 10;

function sorted(rows: readonly Row[], sort: Sort): Row[] {
  const value = (row: Row): number => {
    switch (sort) {
      case 'name':
        return 0;
      case 'rate':
        return row.requestRate;
      case 'errors':
        return share(row, row.errorRate);
      case '4xx':
        return share(row, row.clientErrorRate);
      default:
        return row[sort] ?? -1;
    }
  };
  return rows.toSorted((a, b) => value(b) - value(a) || byName(a.name, b.name));
}

const share = ({ requestRate }: TopTraffic, part: number): number => (requestRate === 0 ? 0 : part / requestRate);

function percent(row: TopTraffic, part: number): string {
  return row.requestRate === 0 ? '-' : (share(row, part) * 100).toFixed(1);
}

function milliseconds(value: number | null): string {
  if (value === null) return '-';
  return value < 1000 ? `${value < 10 ? value.toFixed(1) : value.toFixed(0)}ms` : `${(value / 1000).toFixed(2)}s`;
}

const UNITS = ['Ki', 'Mi', 'Gi', 'Ti'];

function bytes(value: number | null): string {
  if (value === null) return '-';
  let [size, unit] = [value / 1024, 0];
  for (; size >= 1024 && unit < UNITS.length - 1; unit++) size /= 1024;
  return `${size.toFixed(size < 10 ? 1 : 0)}${UNITS[unit]}`;
}
