import type * as gwapi from './gateway-api.ts';
import type * as extensions from './gen/istio.extensions.v1alpha1.ts';
import type * as net from './gen/istio.networking.v1alpha3.ts';
import type * as net1 from './gen/istio.networking.v1beta1.ts';
import type * as sec from './gen/istio.security.v1beta1.ts';
import type * as telemetry from './gen/istio.telemetry.v1alpha1.ts';
import type * as k8s from './kubernetes.ts';

/**
 * The kinds Mizzen reads and the type of each one's spec. ConfigMap, Secret, ServiceAccount and Namespace: see `body`.
 * Gateway is Istio's; the Gateway API's own is KubernetesGateway (see `kindKey`).
 */
export interface KindSpecs {
  VirtualService: net.VirtualService;
  DestinationRule: net.DestinationRule;
  Gateway: net.Gateway;
  ServiceEntry: net.ServiceEntry;
  Sidecar: net.Sidecar;
  WorkloadEntry: net.WorkloadEntry;
  WorkloadGroup: net.WorkloadGroup;
  EnvoyFilter: net.EnvoyFilter;
  ProxyConfig: net1.ProxyConfig;
  AuthorizationPolicy: sec.AuthorizationPolicy;
  PeerAuthentication: sec.PeerAuthentication;
  RequestAuthentication: sec.RequestAuthentication;
  Telemetry: telemetry.Telemetry;
  WasmPlugin: extensions.WasmPlugin;
  TrafficExtension: extensions.TrafficExtension;
  GatewayClass: gwapi.GatewayClassSpec;
  KubernetesGateway: gwapi.GatewaySpec;
  HTTPRoute: gwapi.HTTPRouteSpec;
  ReferenceGrant: gwapi.ReferenceGrantSpec;
  Service: k8s.ServiceSpec;
  Pod: k8s.PodSpec;
  Deployment: k8s.DeploymentSpec;
  StatefulSet: k8s.StatefulSetSpec;
  ServiceAccount: undefined;
  ConfigMap: undefined;
  Secret: undefined;
  Namespace: undefined;
  Node: undefined;
  Endpoints: undefined;
  EndpointSlice: undefined;
  IstioOperator: k8s.IstioOperatorSpec;
}
