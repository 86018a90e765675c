import { ResponseFlag, type HttpFilter } from '../types.ts';

/** Stands at the end of filters of which some have no configuration yet. */
export const missingFilter: HttpFilter = {
  name: '',
  onRequest(stream) {
    stream.route();
    stream.sendLocalReply(500, '', '', ResponseFlag.NFCF);
    return 'stop';
  },
};
