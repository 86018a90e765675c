import { expect, test } from 'vitest';
import { findings } from './testing.ts';

type Case = readonly [spec: string, expected: readonly string[]];
const run = (kind: string, cases: readonly Case[]): void => {
  test.each(cases)(`${kind}: %s`, (spec, expected) => {
    expect(findings('networking.istio.io/v1', kind, spec)).toEqual(expected);
  });
};

const http = (route: string): string => `hosts: [a]\nhttp: [${route}]`;
const to = 'route: [{destination: {host: b}}]';

run('VirtualService', [
  [http(`{${to}, timeout: 5s, retries: {attempts: 2, retryOn: "5xx,503"}}`), []],
  [http('{match: [{uri: {prefix: /}}], redirect: {uri: /x}}'), []],
  ['hosts: [a]', ['MZ1006 ']],
  ['hosts: ["*"]\nhttp: [{route: [{destination: {host: b}}]}]', ['MZ1013 hosts.0']],
  ['hosts: ["*"]\ngateways: [gw]\nhttp: [{route: [{destination: {host: b}}]}]', []],
  ['hosts: [a.b, "*.b"]\nhttp: [{route: [{destination: {host: b}}]}]', ['MZ1015 hosts.0']],
  [http('{}'), ['MZ1006 http.0']],
  [http(`{${to}, redirect: {uri: /x}}`), ['MZ1005 http.0.route']],
  [http(`{redirect: {uri: /x}, directResponse: {status: 200}}`), ['MZ1005 http.0.directResponse']],
  [http(`{${to}, delegate: {name: x}}`), ['MZ1005 http.0.route']],
  [http('{route: [{destination: {host: "*"}}]}'), ['MZ1013 http.0.route.0.destination.host']],
  [http('{route: [{destination: {host: b, subset: "v 1"}}]}'), ['MZ1016 http.0.route.0.destination.subset']],
  [http('{route: [{destination: {host: b}}, {destination: {host: c}}]}'), ['MZ1012 http.0.route']],
  [http(`{${to}, timeout: 100us}`), ['MZ1012 http.0.timeout']],
  [http(`{${to}, timeout: soon}`), ['MZ1004 http.0.timeout']],
  [http(`{${to}, tiemout: 5s}`), ['MZ1001 http.0.tiemout']],
  [http(`{${to}, retries: {attempts: 2, retryOn: "5xx,sometimes"}}`), ['MZ1017 http.0.retries.retryOn']],
  [http(`{${to}, retries: {perTryTimeout: 1s}}`), ['MZ1005 http.0.retries']],
  [http(`{${to}, fault: {abort: {httpStatus: 99}}}`), ['MZ1012 http.0.fault.abort.httpStatus']],
  [http(`{${to}, fault: {abort: {}}}`), ['warn MZ1202 http.0.fault.abort']],
  [http(`{${to}, fault: {abort: {grpcStatus: NOTFOUND}}}`), ['MZ1017 http.0.fault.abort.grpcStatus']],
  [
    http(`{${to}, fault: {delay: {fixedDelay: 1s, percentage: {value: 101}}}}`),
    ['MZ1012 http.0.fault.delay.percentage.value'],
  ],
  [http(`{${to}, match: [{uri: {regex: "a(?=b)"}}]}`), ['MZ1017 http.0.match.0.uri.regex']],
  [http(`{${to}, match: [{uri: {exact: /a, prefix: /b}}]}`), ['MZ1005 http.0.match.0.uri.prefix']],
  [http(`{${to}, match: [{method: {prefix: ""}}]}`), ['MZ1006 http.0.match.0.method.prefix']],
  [http(`{${to}, match: [{headers: {"x y": {exact: a}}}]}`), ['MZ1016 http.0.match.0.headers.x y']],
  [http(`{${to}, match: [{withoutHeaders: {x: {regex: "*"}}}]}`), []],
  [
    http(`{${to}, match: [{headers: {"@request.auth.claims.sub": {exact: a}}}]}`),
    ['MZ1007 http.0.match.0.headers.@request.auth.claims.sub'],
  ],
  [http(`{${to}, headers: {response: {set: {":status": "200"}}}}`), ['MZ1007 http.0.headers.response.set.:status']],
  [
    http(`{${to}, headers: {request: {set: {x: "%REQ(y)% 100%%", z: "50%"}}}}`),
    ['MZ1017 http.0.headers.request.set.z'],
  ],
  [
    http(`{${to}, rewrite: {authority: x}, headers: {request: {set: {Host: y}}}}`),
    ['MZ1005 http.0.headers.request.set.Host'],
  ],
  [
    http(`{${to}, corsPolicy: {allowOrigins: [{}], allowMethods: [FETCH], maxAge: 1.5s}}`),
    [
      'MZ1006 http.0.corsPolicy.allowOrigins.0',
      'MZ1017 http.0.corsPolicy.allowMethods.0',
      'MZ1012 http.0.corsPolicy.maxAge',
    ],
  ],
  [http(`{${to}, mirrorPercent: 5}`), ['warn MZ1201 http.0.mirrorPercent']],
  [http(`{${to}}, {${to}}`), ['warn MZ1204 http.1']],
  [
    http(`{match: [{uri: {prefix: /a}}], ${to}}, {match: [{uri: {prefix: /ab}}], ${to}}`),
    ['warn MZ1204 http.1.match.0.uri.prefix'],
  ],
  [http(`{match: [{uri: {prefix: /a}}], ${to}}, {match: [{uri: {prefix: /ab}, method: {exact: GET}}], ${to}}`), []],
  [
    'hosts: [a]\ntls: [{match: [{sniHosts: [b]}], route: [{destination: {host: b}}]}]',
    ['MZ1013 tls.0.match.0.sniHosts.0'],
  ],
  [
    'hosts: [a]\ntcp: [{match: [{destinationSubnets: [10.0.0.0/33]}]}]',
    ['MZ1014 tcp.0.match.0.destinationSubnets.0', 'MZ1006 tcp.0'],
  ],
  [`gateways: [gw]\n${http(`{${to}}`)}\nexportTo: [., default]`, ['MZ1015 exportTo.1']],
]);

const policy = (text: string): string => `host: a\ntrafficPolicy: {${text}}`;

run('DestinationRule', [
  [policy('loadBalancer: {simple: LEAST_REQUEST}, outlierDetection: {consecutive5xxErrors: 5, interval: 1s}'), []],
  ['host: ""', ['MZ1013 host']],
  ['host: a\nsubsets: [{name: v1}, {name: v1}]', ['MZ1015 subsets.1.name']],
  ['host: a\nsubsets: [{name: v1, labels: {"a b": c}}]', ['MZ1016 subsets.0.labels.a b']],
  [policy(''), ['MZ1006 trafficPolicy']],
  [policy('loadBalancer: {simple: RANDM}'), ['MZ1003 trafficPolicy.loadBalancer.simple']],
  [
    policy('loadBalancer: {simple: RANDOM, consistentHash: {useSourceIp: true}}'),
    ['MZ1005 trafficPolicy.loadBalancer.consistentHash'],
  ],
  [
    policy('loadBalancer: {consistentHash: {useSourceIp: true, maglev: {tableSize: 100}}}'),
    ['MZ1012 trafficPolicy.loadBalancer.consistentHash.maglev.tableSize'],
  ],
  [
    policy('connectionPool: {tcp: {maxConnections: -1, connectTimeout: 0s, idleTimeout: 0s}}'),
    [
      'MZ1012 trafficPolicy.connectionPool.tcp.maxConnections',
      'MZ1012 trafficPolicy.connectionPool.tcp.connectTimeout',
    ],
  ],
  [
    policy('connectionPool: {http: {h2UpgradePolicy: UPGRADE, useClientProtocol: true}}'),
    ['MZ1005 trafficPolicy.connectionPool.http.useClientProtocol'],
  ],
  [policy('outlierDetection: {maxEjectionPercent: 101}'), ['MZ1012 trafficPolicy.outlierDetection.maxEjectionPercent']],
  [
    policy('outlierDetection: {consecutiveErrors: 5}'),
    ['warn MZ1201 trafficPolicy.outlierDetection.consecutiveErrors'],
  ],
  [policy('tls: {mode: MUTUAL}'), ['MZ1006 trafficPolicy.tls', 'MZ1006 trafficPolicy.tls']],
  [policy('tls: {mode: SIMPLE, credentialName: a, caCertificates: b}'), ['MZ1005 trafficPolicy.tls.caCertificates']],
  [policy('portLevelSettings: [{port: {number: 80}}]'), ['MZ1006 trafficPolicy.portLevelSettings.0']],
  [policy('tunnel: {targetHost: a, targetPort: 0}'), ['MZ1012 trafficPolicy.tunnel.targetPort']],
  [
    policy('loadBalancer: {localityLbSetting: {distribute: [{from: a, to: {a: 50, b: 49}}]}}'),
    ['MZ1012 trafficPolicy.loadBalancer.localityLbSetting.distribute.0.to'],
  ],
  [
    policy('loadBalancer: {localityLbSetting: {distribute: [{from: a, to: {a/x: 50, a: 50}}]}}'),
    ['MZ1015 trafficPolicy.loadBalancer.localityLbSetting.distribute.0.to'],
  ],
  [
    policy('loadBalancer: {localityLbSetting: {distribute: [{from: a/*, to: {a/x: 100}}, {from: "*", to: {b: 100}}]}}'),
    [],
  ],
  [
    policy('loadBalancer: {localityLbSetting: {failover: [{from: a, to: b}]}}'),
    ['warn MZ1202 trafficPolicy.loadBalancer.localityLbSetting'],
  ],
  [
    'host: a\nworkloadSelector: {matchLabels: {app: b}}\nexportTo: ["*"]\ntrafficPolicy: {tls: {mode: DISABLE}}',
    ['MZ1007 exportTo'],
  ],
]);

const server = (port: string, rest = ''): string =>
  `servers: [{hosts: ["*"], port: {number: 443, name: p, protocol: ${port}}${rest}}]`;

run('Gateway', [
  [server('HTTPS', ', tls: {mode: SIMPLE, credentialName: c}'), []],
  [server('HTTP', ', tls: {httpsRedirect: true}'), []],
  [server('HTTPS'), ['MZ1006 servers.0']],
  [server('HTPS'), ['MZ1017 servers.0.port.protocol']],
  [server('HTTP', ', tls: {mode: SIMPLE, credentialName: c}'), ['MZ1005 servers.0.tls']],
  [server('HTTPS', ', tls: {mode: SIMPLE}'), ['MZ1006 servers.0.tls', 'MZ1006 servers.0.tls']],
  [server('HTTPS', ', tls: {mode: MUTUAL, serverCertificate: a, privateKey: b}'), ['MZ1006 servers.0.tls']],
  [server('HTTPS', ', tls: {mode: ISTIO_MUTUAL, credentialName: a}'), ['MZ1005 servers.0.tls.credentialName']],
  [
    server('HTTPS', ', tls: {mode: SIMPLE, credentialName: a, cipherSuites: [NULL-MD5]}'),
    ['warn MZ1202 servers.0.tls.cipherSuites.0'],
  ],
  ['servers: [{hosts: [a], port: {number: 80, name: p, protocol: HTTP}}]', ['MZ1013 servers.0.hosts.0']],
  ['servers: [{hosts: [10.0.0.1, "ns/*.x.com"], port: {number: 80, name: p, protocol: HTTP}}]', []],
  [
    'servers: [{hosts: ["*"], port: {number: 0, protocol: HTTP}}]',
    ['MZ1012 servers.0.port.number', 'MZ1006 servers.0.port'],
  ],
]);

const entry = (rest: string): string => `hosts: [x.com]\nports: [{number: 80, name: http, protocol: HTTP}]\n${rest}`;

run('ServiceEntry', [
  [entry('resolution: DNS'), []],
  [entry('resolution: STATIC\nendpoints: [{address: 10.0.0.1, ports: {http: 8080}}]'), []],
  ['hosts: ["*"]', ['MZ1013 hosts.0']],
  [
    'hosts: [x.com]\nports: [{number: 80, name: a, protocol: HTTP}, {number: 80, name: a, protocol: HTTP}]',
    ['MZ1015 ports.1.name', 'MZ1015 ports.1.number'],
  ],
  ['hosts: [x.com]\nports: [{number: 9000, name: a, protocol: TCP}]', ['warn MZ1203 ports.0']],
  [
    'hosts: [x.com, y.com]\nports: [{number: 9000, name: a, protocol: TCP}]\naddresses: [10.0.0.1]\nresolution: STATIC',
    ['MZ1005 ports.0'],
  ],
  [entry('endpoints: [{address: 10.0.0.1}]'), ['MZ1005 endpoints']],
  [entry('resolution: STATIC\nendpoints: [{address: y.com}]'), ['MZ1014 endpoints.0.address']],
  [entry('resolution: DNS\nendpoints: [{address: "y com"}]'), ['MZ1014 endpoints.0.address']],
  [entry('resolution: DNS\nendpoints: [{address: y.com, ports: {grpc: 1}}]'), ['MZ1017 endpoints.0.ports.grpc']],
  [entry('resolution: DNS\naddresses: [10.0.0.0/8]'), ['MZ1005 addresses.0']],
  ['hosts: ["*.x.com"]\nports: [{number: 80, name: a, protocol: HTTP}]\nresolution: DNS', ['MZ1013 hosts.0']],
  ['hosts: ["*.x.com"]\nports: [{number: 80, name: a, protocol: HTTP}]\nresolution: DYNAMIC_DNS', []],
  [entry('workloadSelector: {labels: {app: "*"}}'), ['MZ1017 workloadSelector.labels.app']],
  [entry('exportTo: ["~"]'), []],
  [entry('exportTo: ["~", a]'), ['MZ1005 exportTo']],
]);

run('Sidecar', [
  ['egress: [{hosts: ["./*", "istio-system/*"]}]', []],
  ['egress: [{hosts: ["*/*", "~legacy/*"]}]', []],
  ['egress: [{hosts: [a.b]}]', ['MZ1013 egress.0.hosts.0']],
  ['egress: [{hosts: ["./*"]}, {hosts: ["./*"], port: {number: 80, protocol: HTTP, name: a}}]', ['MZ1005 egress.0']],
  ['egress: [{hosts: ["./*"], port: {number: 0, protocol: HTTP, name: a}, bind: 127.0.0.1}]', ['MZ1006 egress.0']],
  [
    'ingress: [{port: {number: 80, protocol: HTTP, name: a}, defaultEndpoint: "10.0.0.1:80"}]',
    ['MZ1014 ingress.0.defaultEndpoint'],
  ],
  ['ingress: [{port: {number: 80, protocol: HTTP, name: a}, defaultEndpoint: "[::1]:80"}]', []],
  [
    'ingress: [{port: {number: 80, protocol: HTTP, name: a}, tls: {mode: SIMPLE, serverCertificate: a, privateKey: b}}]',
    ['MZ1005 ingress.0.tls'],
  ],
  ['workloadSelector: {labels: {app: a}}', ['MZ1006 ']],
  [
    'outboundTrafficPolicy: {egressProxy: {host: a.b, port: {number: 80}}}',
    ['MZ1005 outboundTrafficPolicy.egressProxy'],
  ],
]);

run('WorkloadEntry', [
  ['address: 10.0.0.1\nlabels: {app: a}', []],
  ['address: unix:///a/b', []],
  ['address: unix://a', ['MZ1014 address']],
  ['labels: {app: a}', ['MZ1006 ']],
  ['address: 10.0.0.1\nports: {"a b": 70000}', ['MZ1016 ports.a b', 'MZ1012 ports.a b']],
]);

run('WorkloadGroup', [
  ['template: {}', []],
  ['metadata: {}', ['MZ1006 ']],
  ['template: {}\nprobe: {}', ['MZ1006 probe']],
  [
    'template: {}\nprobe: {httpGet: {port: 0, scheme: ftp}}',
    ['MZ1012 probe.httpGet.port', 'MZ1017 probe.httpGet.scheme'],
  ],
]);
