/** The parts of the Gateway API (gateway.networking.k8s.io, v1) that Mizzen reads, field for field as it names them. */
import type { LabelSelector } from './kubernetes.ts';

type Strings = Readonly<Record<string, string>>;

export interface GatewayClassSpec {
  readonly controllerName: string;
  readonly description?: string;
}

export interface GatewaySpec {
  readonly gatewayClassName: string;
  readonly listeners?: readonly Listener[];
  readonly addresses?: readonly GatewayAddress[];
  readonly infrastructure?: GatewayInfrastructure;
}
export interface GatewayAddress {
  readonly type?: string;
  readonly value?: string;
}
export interface GatewayInfrastructure {
  readonly labels?: Strings;
  readonly annotations?: Strings;
}
export interface Listener {
  readonly name: string;
  readonly hostname?: string;
  readonly port: number;
  readonly protocol: string;
  readonly tls?: ListenerTLS;
  readonly allowedRoutes?: AllowedRoutes;
}
export interface ListenerTLS {
  readonly mode?: 'Terminate' | 'Passthrough';
  readonly certificateRefs?: readonly SecretRef[];
  readonly options?: Strings;
}
export interface SecretRef {
  readonly group?: string;
  readonly kind?: string;
  readonly name: string;
  readonly namespace?: string;
}
export interface AllowedRoutes {
  readonly namespaces?: RouteNamespaces;
  readonly kinds?: readonly RouteKind[];
}
export interface RouteNamespaces {
  readonly from?: 'All' | 'Selector' | 'Same' | 'None';
  readonly selector?: LabelSelector;
}
export interface RouteKind {
  readonly group?: string;
  readonly kind: string;
}

export interface HTTPRouteSpec {
  readonly parentRefs?: readonly ParentRef[];
  readonly hostnames?: readonly string[];
  readonly rules?: readonly HTTPRouteRule[];
}
export interface ParentRef {
  readonly group?: string;
  readonly kind?: string;
  readonly namespace?: string;
  readonly name: string;
  readonly sectionName?: string;
  readonly port?: number;
}
export interface HTTPRouteRule {
  readonly name?: string;
  readonly matches?: readonly HTTPRouteMatch[];
  readonly filters?: readonly HTTPRouteFilter[];
  readonly backendRefs?: readonly HTTPBackendRef[];
  readonly timeouts?: HTTPRouteTimeouts;
  readonly retry?: HTTPRouteRetry;
}
export interface HTTPRouteMatch {
  readonly path?: HTTPPathMatch;
  readonly headers?: readonly NamedMatch[];
  readonly queryParams?: readonly NamedMatch[];
  readonly method?: string;
}
export interface HTTPPathMatch {
  readonly type?: 'Exact' | 'PathPrefix' | 'RegularExpression';
  readonly value?: string;
}
/** A header or query parameter, as a match names it. */
export interface NamedMatch {
  readonly type?: 'Exact' | 'RegularExpression';
  readonly name: string;
  readonly value: string;
}
export interface HTTPRouteFilter {
  readonly type: string;
  readonly requestHeaderModifier?: HeaderFilter;
  readonly responseHeaderModifier?: HeaderFilter;
  readonly requestMirror?: RequestMirror;
  readonly requestRedirect?: RequestRedirect;
  readonly urlRewrite?: URLRewrite;
  readonly cors?: CORSFilter;
}
export interface HeaderFilter {
  readonly set?: readonly NameValue[];
  readonly add?: readonly NameValue[];
  readonly remove?: readonly string[];
}
export interface NameValue {
  readonly name: string;
  readonly value: string;
}
export interface RequestMirror {
  readonly backendRef: BackendRef;
  readonly percent?: number;
  readonly fraction?: MirrorFraction;
}
export interface MirrorFraction {
  readonly numerator: number;
  /** 100 when left out. */
  readonly denominator?: number;
}
export interface RequestRedirect {
  readonly scheme?: string;
  readonly hostname?: string;
  readonly path?: PathModifier;
  readonly port?: number;
  readonly statusCode?: number;
}
export interface URLRewrite {
  readonly hostname?: string;
  readonly path?: PathModifier;
}
export interface PathModifier {
  readonly type: 'ReplaceFullPath' | 'ReplacePrefixMatch';
  readonly replaceFullPath?: string;
  readonly replacePrefixMatch?: string;
}
export interface CORSFilter {
  readonly allowOrigins?: readonly string[];
  readonly allowCredentials?: boolean;
  readonly allowMethods?: readonly string[];
  readonly allowHeaders?: readonly string[];
  readonly exposeHeaders?: readonly string[];
  /** Seconds. */
  readonly maxAge?: number;
}
export interface BackendRef {
  readonly group?: string;
  readonly kind?: string;
  readonly name: string;
  readonly namespace?: string;
  readonly port?: number;
}
export interface HTTPBackendRef extends BackendRef {
  readonly weight?: number;
  readonly filters?: readonly HTTPRouteFilter[];
}
export interface HTTPRouteTimeouts {
  readonly request?: string;
  readonly backendRequest?: string;
}
export interface HTTPRouteRetry {
  readonly codes?: readonly number[];
  readonly attempts?: number;
  readonly backoff?: string;
}

export interface ReferenceGrantSpec {
  readonly from?: readonly GrantFrom[];
  readonly to?: readonly GrantTo[];
}
export interface GrantFrom {
  readonly group: string;
  readonly kind: string;
  readonly namespace: string;
}
export interface GrantTo {
  readonly group: string;
  readonly kind: string;
  /** All of the kind when left out. */
  readonly name?: string;
}
