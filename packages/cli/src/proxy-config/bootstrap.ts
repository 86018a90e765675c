import { type Dump, message, number, text } from './read-dump.ts';
import { tabulate } from './tabulate.ts';

/**
 * Which Istio and which Envoy it is, from the bootstrap's node. `envoy`: the dump is an Envoy's own, which says its
 * version; istioctl prints zeros where it does not. @throws DumpError
 */
export function versionTable(dump: Dump, envoy: boolean): string {
  const node = message(dump.part('BootstrapConfigDump'), 'bootstrap', 'node');
  const metadata = message(node, 'metadata');
  const build = node['userAgentBuildVersion'];
  const sha = text(metadata, 'ISTIO_PROXY_SHA');
  const rows = [
    ['Istio Version:', text(metadata, 'ISTIO_VERSION')],
    ['Istio Proxy Version:', sha.split(':')[1] ?? sha],
    ['Envoy Version:', envoy || build !== undefined ? envoyVersion(message(build)) : ''],
  ].filter(([, version]) => version !== '');
  return tabulate(rows, 1);
}

function envoyVersion(build: ReturnType<typeof message>): string {
  const version = message(build, 'version');
  const metadata = message(build, 'metadata');
  const numbers = ['majorNumber', 'minorNumber', 'patch'].map((field) => number(version, field)).join('.');
  const label = 'build.label' in metadata ? `-${text(metadata, 'build.label')}` : '';
  const rest = ['revision.status', 'build.type', 'ssl.version']
    .filter((key) => key in metadata)
    .map((key) => `/${text(metadata, key)}`);
  return `${numbers}${label}${rest.join('')}`;
}
