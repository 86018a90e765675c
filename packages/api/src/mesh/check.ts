import type { Path } from '@mizzen/diagnostics';
import { didYouMean } from '@mizzen/diagnostics';
import type { MeshConfig, MeshConfig_ExtensionProvider, ProxyConfig } from '../gen/istio.mesh.v1alpha1.ts';
import { isIpAddress } from '../validation/checks/addresses.ts';
import { checkLocality } from '../validation/checks/locality.ts';
import { checkWildcardDomain, fqdnProblem, isDnsLabel } from '../validation/checks/names.ts';
import { checkDuration, checkNotNegative, checkPercent, checkPort, isPort } from '../validation/checks/numbers.ts';
import { parseDuration } from '../validation/duration.ts';
import {
  BAD_ADDRESS,
  BAD_HOST,
  CONFLICT,
  DUPLICATE,
  OUT_OF_RANGE,
  REQUIRED,
  SUSPICIOUS,
} from '../validation/report.ts';
import type { Report } from '../validation/report.ts';
import { DEFAULT_MESH_CONFIG } from './defaults.ts';

/** The rules of a mesh configuration, beyond its shape. */
export function checkMesh(config: MeshConfig, report: Report): void {
  for (const field of ['proxyListenPort', 'proxyInboundListenPort'] as const) {
    if (config[field] !== undefined) checkPort(report, [field], config[field]);
  }
  if (config.proxyHttpPort) checkPort(report, ['proxyHttpPort'], config.proxyHttpPort);
  checkDuration(report, ['connectTimeout'], config.connectTimeout);
  if ((parseDuration(config.connectTimeout ?? '1s') ?? 0) > 3_600_000) {
    report.error(OUT_OF_RANGE, ['connectTimeout'], `\`${config.connectTimeout}\` is longer than an hour`);
  }
  checkDuration(report, ['dnsRefreshRate'], config.dnsRefreshRate);
  if (parseDuration(config.protocolDetectionTimeout ?? '0s') !== 0) {
    checkDuration(report, ['protocolDetectionTimeout'], config.protocolDetectionTimeout);
  }
  if (config.trustDomain !== undefined) checkTrustDomain(report, ['trustDomain'], config.trustDomain);
  config.trustDomainAliases?.forEach((alias, i) => checkTrustDomain(report, ['trustDomainAliases', i], alias));
  config.serviceSettings?.forEach(({ hosts }, i) => {
    hosts?.forEach((host, j) => checkWildcardDomain(report, ['serviceSettings', i, 'hosts', j], host));
  });
  checkLocality(report, ['localityLbSetting'], config.localityLbSetting, {});
  if (config.defaultConfig) checkProxy(report, ['defaultConfig'], config.defaultConfig);
  checkProviders(report, config);
}

function checkTrustDomain(report: Report, path: Path, domain: string): void {
  const labels = domain.replace(/(?<=.)\.$/, '').split('.');
  if (!labels.every(isDnsLabel)) report.error(BAD_HOST, path, `\`${domain}\` is not a valid trust domain`);
}

function checkProxy(report: Report, path: Path, proxy: ProxyConfig): void {
  const { drainDuration, tracing } = proxy;
  checkDuration(report, [...path, 'drainDuration'], drainDuration);
  if ((parseDuration(drainDuration ?? '0s') ?? 0) % 1000 !== 0) {
    report.error(OUT_OF_RANGE, [...path, 'drainDuration'], '`drainDuration` counts whole seconds');
  }
  for (const field of ['proxyAdminPort', 'statusPort'] as const) {
    if (proxy[field] !== undefined) checkPort(report, [...path, field], proxy[field]);
  }
  for (const field of ['configPath', 'binaryPath', 'serviceCluster', 'discoveryAddress'] as const) {
    if (proxy[field] === '') report.error(REQUIRED, [...path, field], `\`${field}\` must not be empty`);
  }
  checkNotNegative(report, path, proxy, 'concurrency', 'statNameLength');
  checkHostPort(report, [...path, 'discoveryAddress'], proxy.discoveryAddress);
  checkHostPort(report, [...path, 'statsdUdpAddress'], proxy.statsdUdpAddress);
  for (const service of ['envoyMetricsService', 'envoyAccessLogService'] as const) {
    checkHostPort(report, [...path, service, 'address'], proxy[service]?.address);
  }
  for (const tracer of ['zipkin', 'datadog', 'lightstep'] as const) {
    // The agent puts the node's address in.
    const address = tracing?.[tracer]?.address?.replace('$(HOST_IP)', '127.0.0.1');
    checkHostPort(report, [...path, 'tracing', tracer, 'address'], address);
  }
  checkPercent(report, [...path, 'tracing', 'sampling'], tracing?.sampling);
}

function checkHostPort(report: Report, path: Path, text: string | undefined): void {
  if (!text) return;
  const [, host = '', port] = /^\[?([^\]]*)\]?:(\d+)$/.exec(text) ?? [];
  if (port === undefined || (fqdnProblem(host) !== undefined && !isIpAddress(host))) {
    report.error(BAD_ADDRESS, path, `\`${text}\` is not an address`, 'write `HOST:PORT`');
  } else if (!isPort(Number(port))) report.error(OUT_OF_RANGE, path, `port \`${port}\` must be between 1 and 65535`);
}

function checkProviders(report: Report, config: MeshConfig): void {
  const names = new Set<string>();
  config.extensionProviders?.forEach((provider, index) => {
    const path = ['extensionProviders', index];
    const { name = '' } = provider;
    if (name === '') report.error(REQUIRED, path, 'an extension provider needs a `name`');
    if (names.has(name)) report.error(DUPLICATE, [...path, 'name'], `there are two extension providers \`${name}\``);
    names.add(name);
    checkProvider(report, path, provider);
  });
  const known = new Set([...names, ...(DEFAULT_MESH_CONFIG.extensionProviders ?? []).map(({ name }) => name ?? '')]);
  for (const [field, list] of Object.entries(config.defaultProviders ?? {}) as [string, readonly string[]][]) {
    list.forEach((name, index) => {
      if (known.has(name)) return;
      const guess = didYouMean(name, known);
      const help = guess ? `did you mean \`${guess}\`?` : undefined;
      const message = `there is no extension provider \`${name}\``;
      report.warn(SUSPICIOUS, ['defaultProviders', field, index], message, help);
    });
  }
}

function checkProvider(report: Report, path: Path, provider: MeshConfig_ExtensionProvider): void {
  const { name = '', ...rest } = provider;
  const kinds = Object.keys(rest);
  if (kinds.length === 0) report.error(REQUIRED, path, `extension provider \`${name}\` does not say what it is`);
  if (kinds.length > 1) {
    report.error(
      CONFLICT,
      [...path, kinds[1] as string],
      `extension provider \`${name}\` is two things: \`${kinds.join('`, `')}\``,
    );
  }
  for (const kind of ['envoyExtAuthzHttp', 'envoyExtAuthzGrpc'] as const) {
    const authorizer = provider[kind];
    if (!authorizer) continue;
    if (!authorizer.service) report.error(REQUIRED, [...path, kind], `\`${kind}\` needs a \`service\``);
    checkPort(report, [...path, kind, 'port'], authorizer.port);
  }
}
