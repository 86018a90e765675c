import type { JsonValue } from '@mizzen/xds';
import type { FilterStateObject } from '../../filter-state/state.ts';

/** The key under which the filter state has them. */
export const MESSAGE_COUNTS = 'envoy.filters.http.grpc_stats';

/** How often messages went each way, for who looks into the filter state. */
export class MessageCounts implements FilterStateObject {
  requests = 0;
  responses = 0;

  get value(): string {
    return this.text;
  }
  get text(): string {
    return `${this.requests},${this.responses}`;
  }
  get json(): JsonValue {
    return {
      // As JSON has numbers of 64 bits; zero is left out.
      ...(this.requests > 0 ? { requestMessageCount: String(this.requests) } : {}),
      ...(this.responses > 0 ? { responseMessageCount: String(this.responses) } : {}),
    };
  }
}
