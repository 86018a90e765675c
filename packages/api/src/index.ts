export type { Locate, ObjectMeta, Resource, SourceDocument } from './resource.ts';
export { refOf } from './resource.ts';
export type { Snapshot } from './snapshot.ts';
export type { KindSpecs } from './kinds.ts';
export type * as k8s from './kubernetes.ts';
export type * as networking from './gen/istio.networking.v1alpha3.ts';
export type * as security from './gen/istio.security.v1beta1.ts';
export type * as telemetry from './gen/istio.telemetry.v1alpha1.ts';
export type * as mesh from './gen/istio.mesh.v1alpha1.ts';
