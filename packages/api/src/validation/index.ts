import type { Diagnostic } from '@mizzen/diagnostics';
import { KINDS, kindKey } from '../kind-table.ts';
import type { KindSpecs } from '../kinds.ts';
import { PROXY_CONFIG_ANNOTATION, annotationsOfPods, parseProxyConfig } from '../mesh/annotation.ts';
import { checkMeshConfig } from '../mesh/read.ts';
import { refOf } from '../resource.ts';
import type { Resource } from '../resource.ts';
import type { Engine } from '../support/types.ts';
import { checkAuthorizationPolicy } from './authorization-policy.ts';
import { checkController } from './controller.ts';
import { checkDestinationRule } from './destination-rule.ts';
import { checkEndpoints, checkEndpointSlice } from './endpoints.ts';
import { checkEnvoyFilter } from './envoy-filter.ts';
import { checkTrafficExtension, checkWasmPlugin } from './extension.ts';
import { checkGateway } from './gateway.ts';
import { checkKubernetesGateway } from './gateway-api/gateway.ts';
import { checkGatewayClass, checkReferenceGrant } from './gateway-api/grants.ts';
import { checkKubernetesHttpRoute } from './gateway-api/http-route.ts';
import { checkPeerAuthentication } from './peer-authentication.ts';
import { checkPod } from './pod.ts';
import { checkProxyConfig } from './proxy-config.ts';
import { NOT_ALLOWED, Report, UNKNOWN_FIELD, WRONG_TYPE } from './report.ts';
import { checkRequestAuthentication } from './request-authentication.ts';
import { checkMessage } from './schema-check.ts';
import { checkServiceEntry } from './service-entry.ts';
import { checkService } from './service.ts';
import { checkSidecar } from './sidecar.ts';
import { checkTelemetry } from './telemetry.ts';
import { checkVirtualService } from './virtual-service.ts';
import { checkWorkloadEntry } from './workload-entry.ts';
import { checkWorkloadGroup } from './workload-group.ts';

type Checks = { readonly [K in keyof KindSpecs]?: (resource: Resource<KindSpecs[K]>, report: Report) => void };

/** The rules of each kind, beyond its shape. They may take the shape for granted. */
const CHECKS: Checks = {
  VirtualService: checkVirtualService,
  DestinationRule: checkDestinationRule,
  Gateway: checkGateway,
  ServiceEntry: checkServiceEntry,
  Sidecar: checkSidecar,
  WorkloadEntry: checkWorkloadEntry,
  WorkloadGroup: checkWorkloadGroup,
  EnvoyFilter: checkEnvoyFilter,
  ProxyConfig: checkProxyConfig,
  AuthorizationPolicy: checkAuthorizationPolicy,
  PeerAuthentication: checkPeerAuthentication,
  RequestAuthentication: checkRequestAuthentication,
  Telemetry: checkTelemetry,
  WasmPlugin: checkWasmPlugin,
  TrafficExtension: checkTrafficExtension,
  GatewayClass: checkGatewayClass,
  KubernetesGateway: checkKubernetesGateway,
  HTTPRoute: checkKubernetesHttpRoute,
  ReferenceGrant: checkReferenceGrant,
  Service: checkService,
  Pod: checkPod,
  Deployment: checkController,
  StatefulSet: checkController,
  Endpoints: checkEndpoints,
  EndpointSlice: checkEndpointSlice,
};

/**
 * What is wrong with one resource by itself: its shape first and, if that is right, the rules of its kind as istiod's
 * webhook has them. Errors keep a resource from being applied; warnings do not. Spans are looked up by whoever prints.
 * Of a mesh configuration it also tells what `engine` does not do yet.
 */
export function validateResource(resource: Resource, engine?: Engine): Diagnostic[] {
  const ref = refOf(resource);
  if (resource.kind === 'IstioOperator' || resource.kind === 'ConfigMap') {
    return checkMeshConfig(resource, engine).map((problem) => ({ ...problem, ref }));
  }
  const kind = kindKey(resource) as keyof KindSpecs;
  const { message } = KINDS[kind];
  const report = new Report();
  if (message) {
    report.problems.push(...checkMessage(resource.spec, message, ['spec']));
    checkAnnotations(resource, report);
  }
  checkProxyAnnotation(resource, report);
  if (report.isClean) (CHECKS[kind] as ((resource: Resource, report: Report) => void) | undefined)?.(resource, report);
  return report.problems.map((problem) => ({ ...problem, ref }));
}

/** A pod's own ProxyConfig; the places in it are told, as the annotation is a text. */
function checkProxyAnnotation({ kind, body, spec }: Resource, report: Report): void {
  for (const { annotations, path } of annotationsOfPods(kind, body, spec)) {
    const text = annotations[PROXY_CONFIG_ANNOTATION];
    if (text === undefined) continue;
    for (const problem of parseProxyConfig(text).problems) {
      const where = problem.path.length === 0 ? '' : `${problem.path.join('.')}: `;
      report.problems.push({
        ...problem,
        message: `${where}${problem.message}`,
        path: [...path, PROXY_CONFIG_ANNOTATION],
        at: 'value',
      });
    }
  }
}

/**
 * Whether istiod could read a resource at all, valid or not: only fields it has count, and those have values of their
 * types. A webhook would have refused more, but istiod itself obeys whatever is in its store.
 */
export function isReadable(resource: Resource): boolean {
  const { message } = KINDS[resource.kind as keyof KindSpecs];
  const problems = message ? checkMessage(resource.spec, message) : validateResource(resource);
  return !problems.some(({ code }) => (message ? code !== UNKNOWN_FIELD : code === WRONG_TYPE));
}

function checkAnnotations({ kind, metadata }: Resource, report: Report): void {
  if (kind === 'AuthorizationPolicy' || metadata.annotations?.['istio.io/dry-run'] === undefined) return;
  const path = ['metadata', 'annotations', 'istio.io/dry-run'];
  report.error(
    NOT_ALLOWED,
    path,
    '`istio.io/dry-run` is for AuthorizationPolicies only',
    'remove the annotation',
    'key',
  );
}
