import type { AdminAnswer } from './context.ts';

interface Described {
  readonly path: string;
  readonly post?: true;
  readonly does: string;
  readonly parameters?: Readonly<Record<string, string>>;
}

const FILTER = 'Regular expression (Google re2) for filtering stats';

/** What the admin endpoint answers, as `/help` says it. */
const PATHS: readonly Described[] = [
  { path: '/', does: 'Admin home page' },
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
  { path: '/help', does: 'print out list of admin commands' },
  { path: '/hot_restart_version', does: 'print the hot restart compatibility version' },
  { path: '/init_dump', does: 'print what is not initialized' },
  { path: '/listeners', does: 'print listener info', parameters: { format: 'One of (text, json)' } },
  {
    path: '/logging',
    post: true,
    does: 'query/change logging levels',
    parameters: { paths: 'name1:level1,name2:level2', level: 'One level for all' },
  },
  { path: '/memory', does: 'print current allocation/heap usage' },
  { path: '/quitquitquit', post: true, does: 'exit the server' },
  { path: '/ready', does: 'print server state, return 200 if LIVE, otherwise return 503' },
  { path: '/reset_counters', post: true, does: 'reset all counters to zero' },
  { path: '/runtime', does: 'print runtime values' },
  { path: '/server_info', does: 'print server version/status information' },
  {
    path: '/stats',
    does: 'print server stats',
    parameters: {
      usedonly: 'Only stats that are not 0',
      filter: FILTER,
      invert_filter: 'Invert the filter regex',
      format: 'One of (text, json, prometheus)',
      type: 'One of (All, Counters, Gauges, Histograms, TextReadouts)',
    },
  },
  {
    path: '/stats/prometheus',
    does: 'print server stats in prometheus format',
    parameters: { usedonly: 'Only stats that are not 0', filter: FILTER, invert_filter: 'Invert the filter regex' },
  },
];

export const HELP = `admin commands are:\n${PATHS.map(({ path, post, does, parameters }) =>
  [
    `  ${path}${post === true ? ' (POST)' : ''}: ${does}\n`,
    ...Object.entries(parameters ?? {}).map(([name, text]) => `      ${name}: ${text}\n`),
  ].join(''),
).join('')}`;

export function homePage(): AdminAnswer {
  const rows = PATHS.map(({ path, post, does }) => {
    const name = post === true ? path : `<a href="${path}">${path}</a>`;
    return `<tr><td>${name}</td><td>${post === true ? 'POST' : ''}</td><td>${does}</td></tr>`;
  });
  return {
    status: 200,
    type: 'text/html; charset=UTF-8',
    body: `<!DOCTYPE html>\n<html lang="en"><head><title>Envoy Admin</title></head><body><table>\n${rows.join('\n')}\n</table></body></html>\n`,
  };
}
