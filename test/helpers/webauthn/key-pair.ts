import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { type Cbor, cbor } from './cbor.ts'

/** The key pair of one credential. */
export interface KeyPair {
  /** Of COSE (RFC 9053, RFC 8812). */
  algorithm: number
  /** As it stands in the attested credential data. */
  cose: Buffer
  /** DER, as browsers give it with the attestation. */
  spki: Buffer
  sign(data: Buffer): Buffer
}

interface Algorithm {
  id: number
  hash: string | null
  generate(): { publicKey: KeyObject; privateKey: KeyObject }
  keyType: number
  /** What else the type has, from members of the JWK. */
  parameters(member: (name: 'x' | 'y' | 'n' | 'e') => Buffer): [number, Cbor][]
}

const onCurve = (id: number, hash: string, namedCurve: string, curve: number): Algorithm => ({
  ...{ id, hash, keyType: 2 },
  generate: () => generateKeyPairSync('ec', { namedCurve }),
  parameters: (member) => [
    [-1, curve],
    [-2, member('x')],
    [-3, member('y')],
  ],
})

const ALGORITHMS = {
  ES256: onCurve(-7, 'sha256', 'P-256', 1),
  ES384: onCurve(-35, 'sha384', 'P-384', 2),
  ES512: onCurve(-36, 'sha512', 'P-521', 3),
  EdDSA: {
    ...{ id: -8, hash: null, keyType: 1 },
    generate: () => generateKeyPairSync('ed25519'),
    parameters: (member) => [
      [-1, 6],
      [-2, member('x')],
    ],
  },
  RS256: {
    ...{ id: -257, hash: 'sha256', keyType: 3 },
    generate: () => generateKeyPairSync('rsa', { modulusLength: 2048 }),
    parameters: (member) => [
      [-1, member('n')],
      [-2, member('e')],
    ],
  },
} satisfies Record<string, Algorithm>

export type AlgorithmName = keyof typeof ALGORITHMS
export const ALGORITHM_NAMES = Object.keys(ALGORITHMS) as AlgorithmName[]

export function makeKeyPair(name: AlgorithmName): KeyPair {
  const { id, hash, generate, keyType, parameters }: Algorithm = ALGORITHMS[name]
  const { publicKey, privateKey } = generate()
  const jwk = publicKey.export({ format: 'jwk' })
  const rest = parameters((member) => Buffer.from(jwk[member] ?? '', 'base64url'))
  return {
    algorithm: id,
    cose: cbor(new Map([[1, keyType], [3, id], ...rest])),
    spki: publicKey.export({ format: 'der', type: 'spki' }),
    sign: (data) => sign(hash, data, privateKey),
  }
}
