import type { types } from '@mizzen/xds';
import type { CompileContext } from '../../program/context.ts';
import type { Path } from '../../program/path.ts';
import { asciiLower } from '../../program/values.ts';
import type { HttpStream } from '../../types.ts';
import { checkAnyProvider } from './any-provider.ts';
import type { Provider } from './provider.ts';
import { Status } from './status.ts';

/** What a request must bring. */
export interface Requirement {
  readonly text: string;
  check(stream: HttpStream): Status | Promise<Status>;
}

const OPEN: Requirement = { text: 'nothing', check: () => Status.Ok };
const weak = (status: Status): boolean => status === Status.Missed || status === Status.UnknownIssuer;

export function compileRequirement(
  context: CompileContext,
  config: types.jwtAuthn.JwtRequirement,
  providers: ReadonlyMap<string, Provider>,
  path: Path,
): Requirement {
  const one = (name: string | undefined, audiences: readonly string[] | undefined, at: Path): Requirement => {
    const provider = providers.get(name ?? '');
    if (provider === undefined) {
      context.refuse(at, `there is no provider \`${name ?? ''}\``);
      return OPEN;
    }
    const wanted = audiences === undefined || audiences.length === 0 ? provider.audiences : audiences;
    return { text: `a token of ${provider.text}`, check: (stream) => provider.check(stream, wanted) };
  };
  if (config.providerName !== undefined) return one(config.providerName, undefined, [...path, 'providerName']);
  if (config.providerAndAudiences !== undefined) {
    const { providerName, audiences } = config.providerAndAudiences;
    return one(providerName, audiences, [...path, 'providerAndAudiences', 'providerName']);
  }
  if (config.requiresAll !== undefined) {
    const at = [...path, 'requiresAll', 'requirements'];
    checkCount(context, config.requiresAll.requirements, at);
    return all(
      (config.requiresAll.requirements ?? []).map((r, i) => compileRequirement(context, r, providers, [...at, i])),
    );
  }
  if (config.requiresAny !== undefined) {
    const at = [...path, 'requiresAny', 'requirements'];
    checkCount(context, config.requiresAny.requirements, at);
    return compileAny(context, config.requiresAny.requirements ?? [], providers, at);
  }
  // Alone, these look for tokens of every provider.
  const every = (): Requirement => ({
    text: [...providers.values()].map((provider) => provider.text).join(', or '),
    check: checkAnyProvider([...providers.values()]),
  });
  if (config.allowMissing !== undefined) return any([every()], 'missing');
  if (config.allowMissingOrFailed !== undefined) return any([every()], 'missing or failed');
  if (config.extractOnlyWithoutValidation !== undefined)
    return extractOnly(
      every(),
      asciiLower(config.extractOnlyWithoutValidation.verificationStatusHeader ?? '') || VERIFIED,
    );
  return OPEN;
}

function checkCount(context: CompileContext, requirements: readonly unknown[] | undefined, path: Path): void {
  if ((requirements?.length ?? 0) < 2) context.refuse(path, 'must have two entries at least');
}

function compileAny(
  context: CompileContext,
  requirements: readonly types.jwtAuthn.JwtRequirement[],
  providers: ReadonlyMap<string, Provider>,
  path: Path,
): Requirement {
  let allowed: Allowed = 'none';
  const others: Requirement[] = [];
  requirements.forEach((requirement, i) => {
    if (requirement.allowMissingOrFailed !== undefined) allowed = 'missing or failed';
    else if (requirement.allowMissing !== undefined) allowed = allowed === 'none' ? 'missing' : allowed;
    else others.push(compileRequirement(context, requirement, providers, [...path, i]));
  });
  return any(others, allowed);
}

type Allowed = 'none' | 'missing' | 'missing or failed';

/** The first good one is enough; of failures the one that says most is reported. */
function any(requirements: readonly Requirement[], allowed: Allowed): Requirement {
  const settle = (status: Status): Status => {
    if (allowed === 'missing or failed') return Status.Ok;
    return allowed === 'missing' && status === Status.Missed ? Status.Ok : status;
  };
  const from = (stream: HttpStream, index: number, worst: Status): Status | Promise<Status> => {
    let soFar = worst;
    for (let i = index; i < requirements.length; i++) {
      const status = requirements[i]!.check(stream);
      if (status instanceof Promise)
        return status.then((s) => (s === Status.Ok ? s : from(stream, i + 1, worse(soFar, s))));
      if (status === Status.Ok) return status;
      soFar = worse(soFar, status);
    }
    return settle(soFar);
  };
  const texts = requirements.map((requirement) => requirement.text);
  if (allowed !== 'none') texts.push(allowed === 'missing' ? 'no token at all' : 'no or a bad token');
  return { text: texts.join(', or '), check: (stream) => from(stream, 0, Status.Missed) };
}

/** A token that is there but bad says more than one that is missing or of somebody else. */
function worse(a: Status, b: Status): Status {
  if (!weak(b)) return b;
  if (!weak(a)) return a;
  return b === Status.UnknownIssuer ? b : a;
}

/** Says so where no other header is named. */
const VERIFIED = 'x-jwt-signature-verified';

/** Whatever comes is let through; a header says that it is not good. */
function extractOnly(requirement: Requirement, header: string): Requirement {
  const note = (stream: HttpStream, status: Status): Status => {
    if (status !== Status.Ok && status !== Status.Missed) stream.request.headers.set(header, 'false');
    return Status.Ok;
  };
  return {
    text: 'nothing, with whatever tokens are good',
    check(stream) {
      const status = requirement.check(stream);
      return status instanceof Promise ? status.then((s) => note(stream, s)) : note(stream, status);
    },
  };
}

function all(requirements: readonly Requirement[]): Requirement {
  const from = (stream: HttpStream, index: number): Status | Promise<Status> => {
    for (let i = index; i < requirements.length; i++) {
      const status = requirements[i]!.check(stream);
      if (status instanceof Promise) return status.then((s) => (s === Status.Ok ? from(stream, i + 1) : s));
      if (status !== Status.Ok) return status;
    }
    return Status.Ok;
  };
  return {
    text: requirements.map((requirement) => requirement.text).join(', and '),
    check: (stream) => from(stream, 0),
  };
}
