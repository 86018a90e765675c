import type { ServicePort, ServiceSpec } from '../../kubernetes.ts';
import { GRPC_WEB_PORT, HTTP2_PORT } from '../common.ts';
import { except, exceptText, left, moot, surprising, yes } from '../types.ts';
import { kubernetesFields, of } from './fields.ts';
import type { KubernetesTable } from './fields.ts';

const ONE_NODE = moot('there is one machine');
const NO_LOAD_BALANCER = moot('there is no load balancer; gateways listen on 127.0.0.1');
const NO_ADDRESS = moot('services are reached by name');
const GRPC_WEB = /^grpc-web(?:-|$)/;
const HTTP2 = /^(?!grpc-web)(?:grpc|http2)(?:-|$)|^kubernetes\.io\/h2c$/;

export const service: KubernetesTable = {
  ServiceSpec: kubernetesFields<ServiceSpec>({
    ports: of('ServicePort', yes('its ports', 'Cluster.name')),
    selector: yes('labels of its pods', 'ClusterLoadAssignment.endpoints'),
    clusterIP: yes('`None`: headless; here its pods are balanced all the same', 'VirtualHost.domains'),
    clusterIPs: yes('more names of its HTTP ports', 'VirtualHost.domains'),
    externalName: yes('another host it stands for', 'Cluster.type'),
    externalIPs: surprising('nothing listens at these addresses'),
    type: yes('only `ExternalName` makes a difference'),
    publishNotReadyAddresses: yes('pods that are not ready get requests, too', 'LbEndpoint.healthStatus'),
    sessionAffinity: except(yes('requests are balanced'), {
      ClientIP: left('the mesh does not look at it, in Istio neither', 'use a DestinationRule with `consistentHash`'),
    }),
    sessionAffinityConfig: moot('it belongs to `sessionAffinity`'),
    trafficDistribution: yes('which endpoints are used first, by where they are', 'LocalityLbEndpoints.priority'),
    internalTrafficPolicy: moot('there is one machine', 'ClusterLoadAssignment.endpoints'),
    externalTrafficPolicy: ONE_NODE,
    healthCheckNodePort: NO_LOAD_BALANCER,
    loadBalancerIP: NO_LOAD_BALANCER,
    loadBalancerClass: NO_LOAD_BALANCER,
    loadBalancerSourceRanges: NO_LOAD_BALANCER,
    allocateLoadBalancerNodePorts: NO_LOAD_BALANCER,
    ipFamilies: NO_ADDRESS,
    ipFamilyPolicy: NO_ADDRESS,
  }),
  ServicePort: kubernetesFields<ServicePort>({
    name: exceptText(
      exceptText(
        yes('its protocol, up to the first `-`, where `appProtocol` says nothing'),
        'grpc-web',
        GRPC_WEB,
        GRPC_WEB_PORT,
      ),
      'grpc, http2',
      HTTP2,
      HTTP2_PORT,
    ),
    port: yes('port clients use', 'Cluster.name'),
    protocol: except(yes('TCP'), {
      UDP: moot('a mesh carries TCP only, in Istio too'),
      SCTP: moot('a mesh carries TCP only, in Istio too'),
    }),
    appProtocol: exceptText(
      exceptText(yes('its protocol'), 'grpc-web', GRPC_WEB, GRPC_WEB_PORT),
      'grpc, http2',
      HTTP2,
      HTTP2_PORT,
    ),
    targetPort: yes("the pods' port, by number or name", 'Endpoint.address'),
    nodePort: surprising('nothing listens at node ports; use a Gateway'),
  }),
};
