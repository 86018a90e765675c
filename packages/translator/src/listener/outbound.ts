import type { types } from '@mizzen/xds';
import type { Build } from './build.ts';

export function outboundListeners(_build: Build): readonly types.listener.Listener[] {
  return [];
}
