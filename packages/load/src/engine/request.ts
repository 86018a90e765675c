import type { Outgoing } from '../client/types.ts';
import { needsBody } from '../scenario/check.ts';
import { fill, fillDeep } from '../scenario/template.ts';
import type { Body, Scenario, Step } from '../scenario/types.ts';

type Values = ReadonlyMap<string, unknown>;

/** A request that cannot be made: counted as an error, never sent. */
export class Unmade extends Error {}

/**
 * The request of a step.
 * @throws Unmade, MissingVariable
 */
export function requestOf(scenario: Scenario, step: Step, target: string | undefined, values: Values): Outgoing {
  const base = scenario.target === undefined ? target : fill(scenario.target, values);
  const url = urlOf(fill(step.url, values), base, scenario.protocol === 'grpc');
  const headers = step.headers.map(([name, value]) => [name, fill(value, values)] as const);
  if (scenario.protocol !== 'grpc') {
    for (const [name, value] of [
      ['accept', '*/*'],
      ['user-agent', 'mizzen-load'],
    ] as const) {
      if (!headers.some(([each]) => each === name)) headers.push([name, value]);
    }
  }
  return {
    method: step.method,
    url,
    headers,
    body: scenario.protocol === 'grpc' ? undefined : bodyOf(step.body, values),
    message: step.body?.kind === 'json' ? fillDeep(step.body.value, values) : undefined,
    timeoutMs: step.timeoutMs,
    keepBody: needsBody(step.expect, step.capture),
    disturb: undefined,
  };
}

export function urlOf(written: string, base: string | undefined, grpc = false): URL {
  const absolute = /^https?:\/\//.test(written);
  if (!absolute && base === undefined) throw new Unmade('no target');
  const slash = written.startsWith('/') ? '' : '/';
  const before = grpc && base !== undefined ? URL.parse(base)?.origin : base?.replace(/\/$/, '');
  const url = URL.parse(absolute ? written : `${before}${slash}${written}`);
  if (url === null || !/^https?:$/.test(url.protocol)) throw new Unmade('not a URL');
  return url;
}

function bodyOf(body: Body | undefined, values: Values): Buffer | undefined {
  if (body === undefined) return undefined;
  return Buffer.from(body.kind === 'text' ? fill(body.text, values) : JSON.stringify(fillDeep(body.value, values)));
}
