import { ApiError } from '@mizzen/runtime/supervisor/api-client.ts';
import { IstioctlError, UsageError } from '../command.ts';
import { LookUpError } from '../find-workload.ts';
import { DumpError } from './read-dump.ts';

/** Exit status when several workloads are called what was asked for, as everywhere in Mizzen. */
const AMBIGUOUS = 2;

const HELP: Readonly<Record<string, string | undefined>> = {
  'not-running': '--api HOST:PORT says where a control plane of its own is, --config what to compute it from',
};

/** Runs a command that stands for one of istioctl's: what goes wrong is said as there, in a line that begins `Error:`. */
export async function inIstioctlWords(run: () => Promise<number>): Promise<number> {
  try {
    return await run();
  } catch (error) {
    if (error instanceof DumpError) throw new IstioctlError(error.message);
    if (error instanceof LookUpError) {
      const status = error.code === 'ambiguous' ? AMBIGUOUS : 1;
      throw new IstioctlError(error.message, { status, ...helpOf(error) });
    }
    if (error instanceof ApiError) throw new IstioctlError(error.message, helpOf({ help: HELP[error.code] }));
    if (error instanceof UsageError) throw new IstioctlError(error.message, { status: AMBIGUOUS, ...helpOf(error) });
    throw error;
  }
}

function helpOf({ help }: { readonly help: string | undefined }): { readonly help?: string } {
  return help === undefined ? {} : { help };
}
