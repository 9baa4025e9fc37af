export type Cbor = number | string | Buffer | Map<number | string, Cbor>

/** As much of CBOR (RFC 8949) as authenticators send: whole numbers, texts, bytes and maps, in the order given. */
export function cbor(value: Cbor): Buffer {
  if (typeof value === 'number') return value < 0 ? head(1, -1 - value) : head(0, value)
  if (Buffer.isBuffer(value)) return Buffer.concat([head(2, value.length), value])
  if (typeof value === 'string') return Buffer.concat([head(3, Buffer.byteLength(value)), Buffer.from(value)])
  return Buffer.concat([head(5, value.size), ...[...value].flat().map(cbor)])
}

function head(majorType: number, argument: number): Buffer {
  const [information, bytes] = argument < 24 ? [argument, 0] : argument < 256 ? [24, 1] : [25, 2]
  const written = Buffer.alloc(1 + bytes, (majorType << 5) | information)
  if (bytes > 0) written.writeUIntBE(argument, 1, bytes)
  return written
}
