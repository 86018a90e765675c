import type { types } from '@mizzen/xds';
import type { CompileContext } from '../context.ts';
import { ALL_OF_REQUESTS, knownOf, type Asked } from '../match/known.ts';
import { compileMatcher, type Chooser, type MatcherConfig, type MatcherKind } from '../match/matcher.ts';
import type { Path } from '../path.ts';
import { messageOf } from '../read-resource.ts';
import type { ClientCertProgram } from '../types.ts';

const CONFIG =
  'envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager.ForwardClientCertConfig';

type Given = Pick<types.hcm.HttpConnectionManager, 'forwardClientCertDetails' | 'setCurrentClientCertDetails'>;

export function compileClientCert({
  forwardClientCertDetails,
  setCurrentClientCertDetails: details,
}: Given): ClientCertProgram {
  return {
    mode: forwardClientCertDetails ?? 'SANITIZE',
    subject: details?.subject === true,
    issuer: details?.issuer === true,
    json: details?.format === 'JSON',
    cert: details?.cert === true,
    chain: details?.chain === true,
    dns: details?.dns === true,
    uri: details?.uri === true,
  };
}

/** The choice of it by what a request is like. */
export function compileClientCertMatcher(
  context: CompileContext,
  matcher: types.hcm.HttpConnectionManager['forwardClientCertMatcher'],
  path: Path,
): Chooser<Asked, ClientCertProgram> | undefined {
  if (matcher === undefined) return undefined;
  const kind: MatcherKind<Asked, ClientCertProgram> = {
    ...knownOf(ALL_OF_REQUESTS),
    action(_, action, at) {
      const config = action?.typedConfig;
      if (config !== undefined && messageOf(config['@type']) === CONFIG) return compileClientCert(config as Given);
      context.refuse(at, `must be one of type ${CONFIG}`);
      return undefined;
    },
  };
  return compileMatcher(context, matcher as MatcherConfig, kind, path);
}
