import type {
  AuthorizationPolicy,
  AuthorizationPolicy_ExtensionProvider,
  ClaimToHeader,
  Condition,
  JWTHeader,
  JWTRule,
  Operation,
  PeerAuthentication,
  PeerAuthentication_MutualTLS,
  RequestAuthentication,
  Rule,
  Rule_From,
  Rule_To,
  Source,
} from '../gen/istio.security.v1beta1.ts';
import { TARGETS } from './targets.ts';
import { fields, yes } from './types.ts';
import type { MessageTable } from './types.ts';

const SEC = 'istio.security.v1beta1';
const PRINCIPAL = 'Principal.authenticated';
const JWT = 'JwtProvider';

export const security: MessageTable = {
  [`${SEC}.AuthorizationPolicy`]: fields<AuthorizationPolicy>({
    selector: yes('workloads it is for; all of its namespace when left out'),
    ...TARGETS,
    rules: yes('what it applies to; without any, nothing', 'RBAC.policies'),
    action: yes(
      'ALLOW, DENY, AUDIT, which only counts, or CUSTOM, which asks an external authorizer',
      'config.rbac.v3.RBAC.action',
      'HttpConnectionManager.httpFilters',
      'FilterChain.filters',
    ),
    provider: yes('the external authorizer of CUSTOM'),
  }),
  [`${SEC}.AuthorizationPolicy.ExtensionProvider`]: fields<AuthorizationPolicy_ExtensionProvider>({
    name: yes('its name in `extensionProviders`'),
  }),
  [`${SEC}.Rule`]: fields<Rule>({
    from: yes('who asks; one must fit', 'Policy.principals'),
    to: yes('what is asked for; one must fit', 'Policy.permissions'),
    when: yes('further conditions; all must hold', 'Policy.permissions', 'Policy.principals'),
  }),
  [`${SEC}.Rule.From`]: fields<Rule_From>({ source: yes('all of its conditions must hold', 'Policy.principals') }),
  [`${SEC}.Rule.To`]: fields<Rule_To>({ operation: yes('all of its conditions must hold', 'Policy.permissions') }),
  [`${SEC}.Source`]: fields<Source>({
    principals: yes('identities of mutual TLS', PRINCIPAL),
    notPrincipals: yes('all but these', PRINCIPAL),
    requestPrincipals: yes('`issuer/subject` of the token', 'Principal.metadata'),
    notRequestPrincipals: yes('all but these', 'Principal.metadata'),
    namespaces: yes('namespaces of the identity', PRINCIPAL),
    notNamespaces: yes('all but these', PRINCIPAL),
    ipBlocks: yes('address of the connection', 'Principal.directRemoteIp'),
    notIpBlocks: yes('all but these', 'Principal.directRemoteIp'),
    remoteIpBlocks: yes('address of the client, as X-Forwarded-For has it', 'Principal.remoteIp'),
    notRemoteIpBlocks: yes('all but these', 'Principal.remoteIp'),
    serviceAccounts: yes('`name` or `namespace/name` of the identity', PRINCIPAL),
    notServiceAccounts: yes('all but these', PRINCIPAL),
    trustDomains: yes('trust domains of the identity', PRINCIPAL),
    notTrustDomains: yes('all but these', PRINCIPAL),
  }),
  [`${SEC}.Operation`]: fields<Operation>({
    hosts: yes('hosts asked for', 'Permission.header'),
    notHosts: yes('all but these', 'Permission.header'),
    ports: yes('container ports', 'Permission.destinationPort'),
    notPorts: yes('all but these', 'Permission.destinationPort'),
    methods: yes('methods', 'Permission.header'),
    notMethods: yes('all but these', 'Permission.header'),
    paths: yes('paths, also with `{*}` and `{**}`', 'Permission.urlPath', 'Permission.uriTemplate'),
    notPaths: yes('all but these', 'Permission.urlPath'),
  }),
  [`${SEC}.Condition`]: fields<Condition>({
    key: yes("an attribute, of Istio's list"),
    values: yes('one must fit', 'Policy.principals'),
    notValues: yes('none may fit', 'Policy.principals'),
  }),
  [`${SEC}.PeerAuthentication`]: fields<PeerAuthentication>({
    selector: yes('workloads it is for; all of its namespace when left out'),
    mtls: yes('whether mutual TLS is demanded', 'DownstreamTlsContext.requireClientCertificate'),
    portLevelMtls: yes('the same for container ports', 'DownstreamTlsContext.requireClientCertificate'),
  }),
  [`${SEC}.PeerAuthentication.MutualTLS`]: fields<PeerAuthentication_MutualTLS>({
    mode: yes('STRICT, PERMISSIVE or DISABLE', 'FilterChainMatch.transportProtocol'),
  }),
  [`${SEC}.RequestAuthentication`]: fields<RequestAuthentication>({
    selector: yes('workloads it is for; all of its namespace when left out'),
    ...TARGETS,
    jwtRules: yes('tokens that are taken', 'JwtAuthentication.providers'),
  }),
  [`${SEC}.JWTRule`]: fields<JWTRule>({
    issuer: yes('who must have issued the token', `${JWT}.issuer`),
    audiences: yes('whom it must be for', `${JWT}.audiences`),
    jwksUri: yes(
      'where the keys are; the host must be a Service or ServiceEntry that the workload sees',
      `${JWT}.remoteJwks`,
    ),
    jwks: yes('the keys themselves', `${JWT}.localJwks`),
    fromHeaders: yes('headers it may be in', `${JWT}.fromHeaders`),
    fromParams: yes('query parameters it may be in', `${JWT}.fromParams`),
    fromCookies: yes('cookies it may be in', `${JWT}.fromCookies`),
    outputPayloadToHeader: yes('a header that gets the payload, in base64', `${JWT}.forwardPayloadHeader`),
    forwardOriginalToken: yes('whether the application gets the token', `${JWT}.forward`),
    outputClaimToHeaders: yes('headers that get claims', `${JWT}.claimToHeaders`),
    timeout: yes('time to fetch the keys', `${JWT}.remoteJwks`),
    spaceDelimitedClaims: yes('claims that are lists in one text', 'NormalizePayload.spaceDelimitedClaims'),
    presence: yes('`REQUIRED`: requests without the token are refused', 'RequirementRule.requires'),
  }),
  [`${SEC}.JWTHeader`]: fields<JWTHeader>({
    name: yes('the header', 'JwtHeader.name'),
    prefix: yes('what stands before the token', 'JwtHeader.valuePrefix'),
  }),
  [`${SEC}.ClaimToHeader`]: fields<ClaimToHeader>({
    header: yes('the header', 'JwtClaimToHeader.headerName'),
    claim: yes('the claim, with dots for what is inside', 'JwtClaimToHeader.claimName'),
  }),
};
