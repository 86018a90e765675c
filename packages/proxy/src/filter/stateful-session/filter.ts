import type { types } from '@mizzen/xds';
import type { CompileContext } from '../../program/context.ts';
import type { Path } from '../../program/path.ts';
import type { Counter } from '../../program/types.ts';
import { ResponseFlag, type HttpFilter, type HttpStream } from '../../types.ts';
import { PerRouteKind } from '../per-route-kind.ts';
import type { FilterScope } from '../scope.ts';
import { compileSessionState, type SessionState } from './state.ts';

interface Sessions {
  /** Undefined: nobody has one. */
  readonly state: SessionState | undefined;
  readonly strict: boolean;
  readonly status: number;
  /** Counts only where `statPrefix` is set. */
  readonly count: (what: Outcome) => void;
}
type Outcome = 'routed' | 'failed_open' | 'failed_closed' | 'no_session';
type SessionsOfRoute = Sessions | 'disabled';

/** What was found in a request. */
interface Known {
  readonly sessions: Sessions;
  /** Undefined: it is none that may be part of a session. */
  readonly state: SessionState | undefined;
  readonly host: string | undefined;
}

function compileSessions(
  context: CompileContext,
  config: types.statefulSession.StatefulSession,
  path: Path,
  counter: (name: string) => Counter,
): Sessions {
  const { statPrefix = '', sessionState, strict = false, statusOnStrictDestinationNotFound: status = 0 } = config;
  if (status !== 0 && (status < 200 || status > 599))
    context.refuse([...path, 'statusOnStrictDestinationNotFound'], 'must be from 200 to 599');
  return {
    state:
      sessionState === undefined ? undefined : compileSessionState(context, sessionState, [...path, 'sessionState']),
    strict,
    status: strict && status !== 0 ? status : 503,
    count: (what) => {
      if (statPrefix !== '') counter(`stateful_session.${statPrefix}.${what}`).value++;
    },
  };
}

function compileSessionsOfRoute(
  context: CompileContext,
  config: types.statefulSession.StatefulSessionPerRoute,
  path: Path,
): SessionsOfRoute {
  if (config.disabled === undefined && config.statefulSession === undefined)
    context.refuse(path, 'must say `disabled` or `statefulSession`');
  if (config.disabled !== undefined) return 'disabled';
  return compileSessions(context, config.statefulSession ?? {}, [...path, 'statefulSession'], context.deps.counter);
}
export const sessionsPerRoute = new PerRouteKind(compileSessionsOfRoute);

/** Sends the requests of a session to the host that answered the first of them. */
export function statefulSessionFilter(
  context: CompileContext,
  config: types.statefulSession.StatefulSession,
  scope: FilterScope,
  path: Path,
): HttpFilter {
  const own = compileSessions(context, config, path, scope.counter);
  const requests = new WeakMap<HttpStream, Known>();

  return {
    name: scope.name,
    onRequest(stream) {
      const sessions = sessionsPerRoute.mostSpecific(stream, scope.name) ?? own;
      if (sessions === 'disabled') return undefined;
      const { request, info } = stream;
      const state = sessions.state?.concerns(request) === true ? sessions.state : undefined;
      const host = state?.read(request);
      requests.set(stream, { sessions, state, host });
      if (host !== undefined) info.overrideHost = { address: host, strict: sessions.strict, status: sessions.status };
      return undefined;
    },
    onResponse(stream) {
      const known = requests.get(stream);
      const { response, info } = stream;
      if (known === undefined || response === undefined) return undefined;
      const { sessions, state, host } = known;
      const { upstreamHost } = info;
      if (state === undefined) {
        if (upstreamHost !== '') sessions.count('no_session');
      } else if (upstreamHost !== '') {
        if (!state.write(response, upstreamHost, host)) sessions.count('routed');
        else if (!sessions.strict) sessions.count('failed_open');
      } else if (sessions.strict && (info.responseFlags & ResponseFlag.UH) !== 0) sessions.count('failed_closed');
      return undefined;
    },
  };
}
