const M = 0xc6a4a7935bd1e995n;
const unsigned = (value: bigint): bigint => BigInt.asUintN(64, value);
const mix = (value: bigint): bigint => value ^ (value >> 47n);

/** MurmurHash64A with the seed of libstdc++'s `std::hash`, Envoy's `MURMUR_HASH_2`. */
export function murmurHash2(text: string): bigint {
  const bytes = Buffer.from(text);
  let hash = unsigned(0xc70f6907n ^ unsigned(BigInt(bytes.length) * M));
  const whole = bytes.length & ~7;
  for (let at = 0; at < whole; at += 8) {
    const block = unsigned(mix(unsigned(bytes.readBigUInt64LE(at) * M)) * M);
    hash = unsigned((hash ^ block) * M);
  }
  if (bytes.length !== whole) {
    let rest = 0n;
    for (let at = bytes.length - 1; at >= whole; at--) rest = (rest << 8n) | BigInt(bytes[at]!);
    hash = unsigned((hash ^ rest) * M);
  }
  return mix(unsigned(mix(hash) * M));
}
