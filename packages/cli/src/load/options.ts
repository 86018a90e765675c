import { renderDiagnostic } from '@mizzen/diagnostics';
import {
  Dialer,
  freshSeed,
  Guard,
  type LoadOptions,
  milliseconds,
  MODES,
  type Mode,
  parseThreshold,
  PEAK,
  type Plan,
  readPlan,
  seeded,
  type Threshold,
  type Via,
} from '@mizzen/load';
import { flag, type Invocation, list, text, UsageError } from '../command.ts';
import { readGiven } from './given-file.ts';
import { gatewayOf, meshOf, type Sender, senderOf } from './mesh.ts';
import { planOfUrl } from './url-plan.ts';
import { realClock } from './clock.ts';

type Values = Invocation['values'];
const CONCURRENCY = 256;
const OF_URL = ['protocol', 'request', 'header', 'data', 'proto', 'timeout'];

/** What was asked for; a number: the exit status, after the reason was said. */
export async function loadOptions(invocation: Invocation): Promise<LoadOptions | number> {
  const { positionals, values, err, color } = invocation;
  if (positionals.length > 1)
    throw new UsageError('one URL or file is enough', 'scenarios of a file may have several targets');
  const { source, target: found } = await sourceOf(positionals[0], values);
  let plan: Plan;
  if (source.kind === 'url') {
    plan = planOfUrl(source.url, values);
  } else {
    ofUrlOnly(values, source.file);
    const file = readGiven(source.file === '-' ? 0 : source.file);
    const read = readPlan(source.file === '-' ? '<stdin>' : source.file, file, process.env);
    if (read.plan === undefined) {
      for (const each of read.diagnostics) err.write(`${renderDiagnostic(each, { source: () => file, color })}\n`);
      return 1;
    }
    plan = read.plan;
  }
  const sender = await senderOf(values);
  const needsTarget =
    plan.target === undefined &&
    plan.scenarios.some(
      ({ target, steps }) => target === undefined && steps.some(({ url }) => !/^https?:/.test(url.text)),
    );
  const target = plan.target ?? (needsTarget ? (found ?? (await meshOf(values).gatewayUrl())) : undefined);
  if (needsTarget && target === undefined) {
    throw new UsageError(
      'the scenarios have no target',
      'give them `target: URL`, or start the mesh whose gateway they go through',
    );
  }
  if (sender !== undefined) refuse(sender, plan, target);
  const mode = modeOf(text(values, 'mode') ?? plan.mode ?? 'balanced');
  const rate = numberOf(values, 'rate') ?? plan.rate ?? 10;
  const peaks = PEAK[mode] > 1;
  if (!peaks && text(values, 'peak') !== undefined)
    throw new UsageError(`--peak: mode ${mode} has none`, 'the modes spike and stress have one');
  const peak = peaks ? (numberOf(values, 'peak') ?? plan.peak ?? rate * PEAK[mode]) : rate;
  if (peak < rate) throw new UsageError(`--peak: ${peak} is less than the rate, ${rate}`);
  const seed = numberOf(values, 'seed', 0) ?? freshSeed();
  if (!Number.isInteger(seed) || seed > 0xffff_ffff)
    throw new UsageError(`--seed: ${seed} is not a whole number below 2^32`);
  return {
    mode,
    seconds: secondsOf(values) ?? plan.seconds ?? 60,
    rate,
    peak,
    arrival: oneOf(values, 'arrival', ['constant', 'poisson']) ?? plan.arrival ?? 'constant',
    concurrency: wholeOf(values, 'concurrency') ?? plan.concurrency ?? CONCURRENCY,
    connections: wholeOf(values, 'connections') ?? plan.connections,
    thresholds: thresholdsOf(list(values, 'threshold').length > 0 ? list(values, 'threshold') : plan.thresholds, plan),
    seed,
    scenarios: plan.scenarios,
    target,
    from: sender?.name ?? '',
    grpc: plan.grpc,
    dialer: await dialerOf(values, sender),
    clock: realClock,
    random: seeded(seed),
  };
}

/** Scenarios say these themselves. @throws UsageError */
function ofUrlOnly(values: Values, file: string): void {
  const given = OF_URL.find((name) => values[name] !== undefined);
  if (given === undefined) return;
  throw new UsageError(`--${given} is of a URL`, `the scenarios of \`${file}\` say it themselves`);
}

/** What the sidecar cannot carry is said before anything is sent. */
function refuse({ refuses }: Sender, plan: Plan, target: string | undefined): void {
  for (const { protocol, target: own, steps } of plan.scenarios) {
    const base = own?.text ?? target ?? '';
    const urls = steps.map(({ url }) => (/^https?:/.test(url.text) ? url.text : base));
    const reason = urls.map((url) => refuses(protocol, url)).find((each) => each !== undefined);
    if (reason !== undefined) {
      throw new UsageError(
        reason,
        '`mizzen up --engine envoy`, or the annotation `mizzen.dev/engine: envoy`, makes it an Envoy',
      );
    }
  }
}

type Source = { readonly kind: 'url'; readonly url: string } | { readonly kind: 'file'; readonly file: string };

async function sourceOf(given: string | undefined, values: Values): Promise<{ source: Source; target?: string }> {
  if (given !== undefined) {
    const file = !given.includes('://') && (given === '-' || /\.(ya?ml|json)$/.test(given));
    return { source: file ? { kind: 'file', file: given } : { kind: 'url', url: given } };
  }
  const mesh = meshOf(values);
  const file = await mesh.loadFile();
  if (file !== undefined) return { source: { kind: 'file', file } };
  const url = await mesh.gatewayUrl();
  if (url === undefined) throw new UsageError('what should be loaded?', 'name a URL or a file of scenarios');
  return { source: { kind: 'url', url }, target: url };
}

async function dialerOf(values: Values, sender: Sender | undefined): Promise<Dialer> {
  const gateway = text(values, 'gateway');
  if (sender !== undefined && gateway !== undefined) throw new UsageError('--from and --gateway cannot both be given');
  const allowRemote = flag(values, 'allow-remote');
  const ca = text(values, 'cacert');
  const via: Via = sender?.via ?? (gateway === undefined ? { kind: 'direct' } : await gatewayOf(values, gateway));
  return new Dialer({
    guard: new Guard({ allowRemote, ...(sender === undefined ? {} : { inMesh: sender.inMesh }) }),
    via,
    tls: { insecure: flag(values, 'insecure'), ca: ca === undefined ? undefined : readGiven(ca) },
  });
}

function thresholdsOf(written: readonly string[], { scenarios }: Plan): readonly Threshold[] {
  return written.map((each) => {
    const threshold = parseThreshold(each);
    if (typeof threshold === 'string') throw new UsageError(`--threshold: ${threshold}`);
    const { of } = threshold;
    const known = scenarios.flatMap(({ name, steps }) => [name, ...steps.map((step) => `${name}/${step.name}`)]);
    if (of !== '' && !known.includes(of)) {
      throw new UsageError(`threshold \`${each}\`: there is no \`${of}\``, `there are ${known.join(', ')}`);
    }
    return threshold;
  });
}

function modeOf(name: string): Mode {
  const mode = MODES.find((each) => each === name);
  if (mode === undefined) throw new UsageError(`-m: \`${name}\` is none of ${MODES.join(', ')}`);
  return mode;
}

function secondsOf(values: Values): number | undefined {
  const written = text(values, 'duration');
  if (written === undefined) return undefined;
  const ms = milliseconds(written);
  if (ms === undefined || ms === 0)
    throw new UsageError(`-d: \`${written}\` is not a duration`, 'seconds, or such as 90s, 5m');
  return ms / 1000;
}

function numberOf(values: Values, name: string, least = 0.001): number | undefined {
  const written = text(values, name);
  if (written === undefined) return undefined;
  const value = Number(written);
  if (written.trim() === '' || !Number.isFinite(value) || value < least) {
    throw new UsageError(`--${name}: \`${written}\` is not a number of at least ${least}`);
  }
  return value;
}

function wholeOf(values: Values, name: string): number | undefined {
  const value = numberOf(values, name, 1);
  if (value !== undefined && !Number.isInteger(value))
    throw new UsageError(`--${name}: ${value} is not a whole number`);
  return value;
}

function oneOf<T extends string>(values: Values, name: string, known: readonly T[]): T | undefined {
  const written = text(values, name);
  if (written === undefined || known.includes(written as T)) return written as T | undefined;
  throw new UsageError(`--${name}: \`${written}\` is none of ${known.join(', ')}`);
}
