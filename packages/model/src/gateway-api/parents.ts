import type { Resource, gwapi } from '@mizzen/api';

/** A listener that routes can be attached to. */
export interface ListenerParent {
  readonly gateway: Resource<gwapi.GatewaySpec>;
  /** `namespace/name` of the internal Gateway. */
  readonly internalName: string;
  readonly section: string;
  readonly port: number;
  readonly protocol: string;
  /** As written; empty: all. */
  readonly hostname: string;
  /** `namespace/host`, as in the internal Gateway's `hosts`. */
  readonly hosts: readonly string[];
  readonly takesHttpRoutes: boolean;
}

/** A place where an HTTPRoute is in force: a listener of a Gateway, or a Service of the mesh. */
export type Attachment =
  | {
      readonly kind: 'listener';
      readonly listener: ListenerParent;
      /** Hosts of the other listeners of its Gateway, port and protocol, which keep what is theirs. */
      readonly others: readonly string[];
      /** Index in `parentRefs`. */
      readonly index: number;
    }
  | {
      readonly kind: 'mesh';
      readonly hosts: readonly string[];
      /** Undefined: every port. */
      readonly port: number | undefined;
      readonly index: number;
    };
