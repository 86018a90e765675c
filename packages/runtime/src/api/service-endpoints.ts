import { spiffeId, type ServiceEndpoints } from '@mizzen/control-plane';
import type { Locality, MeshModel } from '@mizzen/model';

/** The endpoints of every port of every service, for `/debug/endpointz`. */
export function serviceEndpoints(model: MeshModel): ServiceEndpoints[] {
  return model.services.flatMap((service) =>
    service.ports.map((port) => ({
      svc: `${service.hostname}:${port.name}`,
      ep: model.endpoints(service, port).map((endpoint) => ({
        address: endpoint.address,
        endpointPort: endpoint.port,
        labels: endpoint.labels,
        serviceAccount: endpoint.tlsMode === 'istio' ? spiffeId({ ...endpoint, trustDomain: model.trustDomain }) : '',
        healthy: endpoint.healthy,
        locality: localityText(endpoint.locality),
      })),
    })),
  );
}

/** `REGION/ZONE/SUBZONE`, without what is empty at the end. */
function localityText({ region, zone, subzone }: Locality): string {
  return [region, zone, subzone].join('/').replace(/\/+$/, '');
}
