/** What a client that only counts needs of a DeltaDiscoveryResponse, without decoding its resources. */
export interface DeltaHead {
  readonly typeUrl: string;
  readonly nonce: string;
  readonly names: readonly string[];
}

/** Fields of envoy.service.discovery.v3.DeltaDiscoveryResponse: resources 2, type_url 4, nonce 5. */
export function readDeltaHead(bytes: Buffer): DeltaHead {
  let typeUrl = '';
  let nonce = '';
  const names: string[] = [];
  for (const [field, value] of fields(bytes)) {
    if (field === 4) typeUrl = value.toString();
    else if (field === 5) nonce = value.toString();
    else if (field === 2) {
      // Resource.name is field 3.
      for (const [inner, name] of fields(value)) if (inner === 3) names.push(name.toString());
    }
  }
  return { typeUrl, nonce, names };
}

/** Fields of a message that have a length; varints are skipped. */
function* fields(bytes: Buffer): Generator<readonly [number, Buffer]> {
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let shift = 1; ; shift *= 128) {
      const byte = bytes[at++]!;
      value += (byte & 127) * shift;
      if (byte < 128) return value;
    }
  };
  while (at < bytes.length) {
    const tag = varint();
    if ((tag & 7) === 0) varint();
    else if ((tag & 7) === 2) {
      const length = varint();
      yield [tag >>> 3, bytes.subarray(at, at + length)];
      at += length;
    } else throw new Error(`wire type ${tag & 7} in a discovery response`);
  }
}
