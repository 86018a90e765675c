import type { Random } from '../../deps.ts';
import type { RequestHead, StreamInfo } from '../../types.ts';

/** One thing that must hold for a route to match. */
export interface Condition {
  /** In words, as a statement about the request: `path starts with "/api"`. */
  readonly text: string;
  /** Field of `match` it comes from. */
  readonly field: string;
  /** `path` is the request's without query and fragment. */
  readonly test: (request: RequestHead, path: string, info: StreamInfo, random: Random) => boolean;
}
