import { expect, it } from 'vitest';
import { createContext } from '../context.ts';
import { modelOf, sidecar } from '../testing/fixture.ts';
import { serverTls } from './server.ts';

it("offers the server's own protocols and curves before the mesh's", () => {
  const context = createContext(modelOf('', { mesh: { tlsDefaults: { ecdhCurves: ['P-256'] } } }), sidecar());
  const common = (own: object): unknown =>
    (serverTls(context, { mode: 'SIMPLE', credentialName: 'c', ...own }, 'http')?.typedConfig as never)[
      'commonTlsContext'
    ];
  expect(common({})).toMatchObject({ alpnProtocols: ['h2', 'http/1.1'], tlsParams: { ecdhCurves: ['P-256'] } });
  expect(common({ alpnProtocols: ['http/1.1'], ecdhCurves: ['X25519'] })).toMatchObject({
    alpnProtocols: ['http/1.1'],
    tlsParams: { ecdhCurves: ['X25519'] },
  });
});
