import type { types } from '@mizzen/xds';
import { mutationSteps } from '../../filter/header-mutation.ts';
import type { CompileContext } from '../context.ts';
import type { HeaderMutations } from '../headers.ts';
import type { Path } from '../path.ts';
import { messageOf } from '../read-resource.ts';

const TYPE = 'envoy.extensions.http.early_header_mutation.header_mutation.v3.HeaderMutation';

/** What is changed in requests before the connection manager makes anything of them. */
export function compileEarlyMutations(
  context: CompileContext,
  extensions: readonly types.core.TypedExtensionConfig[] | undefined,
  path: Path,
): readonly HeaderMutations[] | undefined {
  if (extensions === undefined || extensions.length === 0) return undefined;
  return extensions.flatMap(({ typedConfig }, i) => {
    const type = typedConfig === undefined ? '' : messageOf(typedConfig['@type']);
    if (type !== TYPE) {
      context.refuse([...path, i, 'typedConfig'], `\`${type}\` is not supported`);
      return [];
    }
    const { mutations } = typedConfig as { readonly mutations?: Parameters<typeof mutationSteps>[2] };
    return mutationSteps(context, 'request', mutations, [...path, i, 'typedConfig', 'mutations']);
  });
}
