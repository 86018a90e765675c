import type { JsonObject } from '@mizzen/xds';

/** A header change that a service asks for. Names are lowercase, values wire text. */
export interface HeaderEdit {
  /**
   * `add` puts another field beside; `append` joins to the value of one that is there, and does nothing when none is;
   * `append-or-add` adds then.
   */
  readonly how: 'set' | 'add' | 'append' | 'append-or-add' | 'add-if-absent' | 'overwrite-if-exists';
  readonly name: string;
  readonly value: string;
}

/** What the authorization service said. */
export type Verdict =
  | {
      readonly kind: 'ok';
      readonly request: readonly HeaderEdit[];
      readonly remove: readonly string[];
      readonly response: readonly HeaderEdit[];
      readonly querySet: readonly (readonly [string, string])[];
      readonly queryRemove: readonly string[];
      readonly metadata: JsonObject | undefined;
    }
  | {
      readonly kind: 'denied';
      readonly status: number;
      readonly body: string;
      readonly headers: readonly HeaderEdit[];
      readonly metadata: JsonObject | undefined;
    }
  /** No verdict; what the service wants to be answered then, if it says so. */
  | {
      readonly kind: 'error';
      readonly status?: number;
      readonly body?: string;
      readonly headers?: readonly HeaderEdit[];
      readonly metadata?: JsonObject | undefined;
    };
