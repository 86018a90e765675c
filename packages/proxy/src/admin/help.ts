import type { AdminAnswer } from './context.ts';

interface Described {
  readonly path: string;
  readonly post?: true;
  readonly does: string;
  readonly parameters?: Readonly<Record<string, string>>;
}

const FILTER = 'Regular expression (Google re2) for filtering stats';
const USED_ONLY = 'Only include stats that have been written by system since restart';
const INVERT = 'Invert the filter regex';
const PROFILER = { enable: 'Refused: Node has profilers of its own' };

/** What the admin endpoint answers, as `/help` says it. */
const PATHS: readonly Described[] = [
  { path: '/', does: 'Admin home page' },
  {
    path: '/allocprofiler',
    post: true,
    does: 'enable/disable the allocation profiler (if supported)',
    parameters: PROFILER,
  },
  { path: '/certs', does: 'print certs on machine' },
  {
    path: '/clusters',
    does: 'upstream cluster status',
    parameters: {
      filter: 'Regular expression (Google re2) for filtering clusters by name',
      format: 'One of (text, json)',
    },
  },
  {
    path: '/config_dump',
    does: 'dump current configuration',
    parameters: {
      resource: 'The resource to dump',
      mask: 'The fields to keep, of every element when there is a resource',
      name_regex: 'Only what has a name that the regular expression matches',
      include_eds: 'Endpoints, too',
    },
  },
  { path: '/contention', does: 'dump current mutex contention stats (if enabled)' },
  { path: '/cpuprofiler', post: true, does: 'enable/disable the CPU profiler', parameters: PROFILER },
  {
    path: '/drain_listeners',
    post: true,
    does: 'drain listeners',
    parameters: {
      graceful: 'Connections are told to end for the drain time, then listeners stop',
      skip_exit: 'Connections are told to end, and listeners never stop',
      inboundonly: 'Only listeners of inbound traffic',
    },
  },
  { path: '/healthcheck/fail', post: true, does: 'cause the server to fail health checks' },
  { path: '/healthcheck/ok', post: true, does: 'cause the server to pass health checks' },
  { path: '/heap_dump', does: 'dump current heap (if supported)' },
  { path: '/heapprofiler', post: true, does: 'enable/disable the heap profiler', parameters: PROFILER },
  { path: '/help', does: 'print out list of admin commands' },
  { path: '/hot_restart_version', does: 'print the hot restart compatibility version' },
  {
    path: '/init_dump',
    does: 'print what listeners wait for',
    parameters: { mask: 'Only `listener`, which is all there is' },
  },
  { path: '/listeners', does: 'print listener info', parameters: { format: 'One of (text, json)' } },
  {
    path: '/logging',
    post: true,
    does: 'query/change logging levels',
    parameters: { paths: 'name1:level1,name2:level2', level: 'One level for all' },
  },
  { path: '/memory', does: 'print current allocation/heap usage' },
  { path: '/memory/tcmalloc', does: 'print TCMalloc stats (if supported)' },
  { path: '/peak_heap_dump', does: 'dump peak heap (if supported)' },
  { path: '/quitquitquit', post: true, does: 'exit the server' },
  { path: '/ready', does: 'print server state, return 200 if LIVE, otherwise return 503' },
  { path: '/reopen_logs', post: true, does: 'reopen access logs' },
  { path: '/reset_counters', post: true, does: 'reset all counters to zero' },
  { path: '/runtime', does: 'print runtime values' },
  {
    path: '/runtime_modify',
    post: true,
    does: 'add, change or remove values of the admin layer of the runtime, from the query or the body',
  },
  { path: '/server_info', does: 'print server version/status information' },
  {
    path: '/stats',
    does: 'print server stats',
    parameters: {
      usedonly: USED_ONLY,
      filter: FILTER,
      invert_filter: INVERT,
      format: 'One of (text, json, prometheus)',
      type: 'One of (All, Counters, Gauges, Histograms, TextReadouts)',
    },
  },
  {
    path: '/stats/prometheus',
    does: 'print server stats in prometheus format',
    parameters: { usedonly: USED_ONLY, filter: FILTER, invert_filter: INVERT },
  },
  { path: '/stats/recentlookups', does: 'Show recent stat-name lookups' },
  {
    path: '/stats/recentlookups/clear',
    post: true,
    does: 'clear list of stat-name lookups and counter',
  },
  {
    path: '/stats/recentlookups/disable',
    post: true,
    does: 'disable recording of reset stat-name lookup names',
  },
  {
    path: '/stats/recentlookups/enable',
    post: true,
    does: 'enable recording of reset stat-name lookup names (if supported)',
  },
];

export const HELP = `admin commands are:\n${PATHS.map(({ path, post, does, parameters }) =>
  [
    `  ${path}${post === true ? ' (POST)' : ''}: ${does}\n`,
    ...Object.entries(parameters ?? {}).map(([name, text]) => `      ${name}: ${text}\n`),
  ].join(''),
).join('')}`;

/** Statistics for a browser, which reads them as they are. */
export function statsPage(stats: string): AdminAnswer {
  const written = stats.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  return page(`<pre>\n${written}</pre>`);
}

function page(content: string): AdminAnswer {
  return {
    status: 200,
    type: 'text/html; charset=UTF-8',
    body: `<!DOCTYPE html>\n<html lang="en"><head><title>Envoy Admin</title></head><body>${content}</body></html>\n`,
  };
}

export function homePage(): AdminAnswer {
  const rows = PATHS.map(({ path, post, does }) => {
    const name = post === true ? path : `<a href="${path}">${path}</a>`;
    return `<tr><td>${name}</td><td>${post === true ? 'POST' : ''}</td><td>${does}</td></tr>`;
  });
  return page(`<table>\n${rows.join('\n')}\n</table>`);
}
