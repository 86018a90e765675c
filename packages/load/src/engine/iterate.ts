import type { Outcome, Outgoing } from '../client/types.ts';
import { captured, Content, failures } from '../scenario/check.ts';
import { MissingVariable } from '../scenario/template.ts';
import type { Scenario, Step } from '../scenario/types.ts';
import { requestOf, Unmade } from './request.ts';
import type { Run } from './run.ts';

/**
 * One pass through a scenario; ends with the first step that fails, as what follows would build on it. `fromMs`: when it
 * was due, in milliseconds of the run. Returns whether it came to its end.
 */
export async function iterate(run: Run, scenario: Scenario, fromMs: number): Promise<boolean> {
  const values = run.variables.valuesFor(scenario);
  let dueMs = fromMs;
  for (const step of scenario.steps) {
    if (run.stopped) return false;
    if (!(await perform(run, scenario, step, values, dueMs))) return false;
    if (step.think !== undefined) {
      const { fromMs: least, toMs: most } = step.think;
      await run.pause(least + run.options.random.float() * (most - least));
    }
    dueMs = run.elapsed;
  }
  return true;
}

async function perform(
  run: Run,
  scenario: Scenario,
  step: Step,
  values: Map<string, unknown>,
  dueMs: number,
): Promise<boolean> {
  let from = dueMs;
  try {
    let outgoing = requestOf(scenario, step, run.options.target, values);
    const disturbed = run.options.disturb?.(outgoing, scenario.protocol);
    if (disturbed !== undefined) {
      const outcome = await run.send(scenario.protocol, disturbed);
      const { answer } = outcome;
      run.record(step, outcome, run.elapsed - from, answer?.status[0] === '5' ? [`status ${answer.status}`] : []);
      return false;
    }
    for (let hops = 0; ; hops++) {
      const outcome = await run.send(scenario.protocol, outgoing);
      const latencyMs = run.elapsed - from;
      const next = hops < step.redirects ? redirected(outgoing, outcome) : undefined;
      if (next === undefined) return conclude(run, step, outcome, latencyMs, values);
      // Each hop is a request of its own for whoever counts them, also one that leads nowhere.
      if (next === 'nowhere') {
        run.record(step, outcome, latencyMs, ['redirect to no URL of HTTP']);
        return false;
      }
      run.record(step, outcome, latencyMs, []);
      outgoing = next;
      from = run.elapsed;
    }
  } catch (error) {
    if (!(error instanceof Unmade || error instanceof MissingVariable)) throw error;
    const nothing = { answer: undefined, aborted: false, sent: false, bytesIn: 0, bytesOut: 0 };
    run.record(step, { ...nothing, error: error.message }, 0, []);
    return false;
  }
}

function conclude(run: Run, step: Step, outcome: Outcome, latencyMs: number, values: Map<string, unknown>): boolean {
  if (outcome.answer === undefined) {
    run.record(step, outcome, latencyMs, []);
    return false;
  }
  const content = new Content(outcome.answer);
  const failed = [...failures(step.expect, content, latencyMs, values)];
  for (const [name, capture] of step.capture) {
    const value = failed.length > 0 ? undefined : captured(capture, content);
    if (value !== undefined) values.set(name, value);
    else if (failed.length === 0) failed.push(`nothing to capture as ${name}`);
  }
  run.record(step, outcome, latencyMs, failed);
  return failed.length === 0;
}

/** The request that a redirect asks for; undefined when it is none, `nowhere` when nothing can be sent there. */
function redirected(outgoing: Outgoing, { answer }: Outcome): Outgoing | 'nowhere' | undefined {
  const location = answer?.headers['location'];
  if (answer === undefined || location === undefined || !/^30[12378]$/.test(answer.status)) return undefined;
  const url = URL.parse(location, outgoing.url.href);
  if (url === null || !/^https?:$/.test(url.protocol)) return 'nowhere';
  const keep = answer.status === '307' || answer.status === '308' || ['GET', 'HEAD'].includes(outgoing.method);
  const other = url.origin !== outgoing.url.origin;
  const headers = outgoing.headers.filter(
    ([name]) =>
      !(other && ['authorization', 'cookie', 'host'].includes(name)) && !(!keep && name.startsWith('content-')),
  );
  return keep ? { ...outgoing, url, headers } : { ...outgoing, url, headers, method: 'GET', body: undefined };
}
