import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto'
import type { SecretBox } from '../crypto/secret-box.ts'
import type { Clock } from '../platform/clock.ts'
import type { Db } from '../platform/database.ts'
import { insertSigningKey, listSigningKeys } from './store.ts'

export type SigningAlg = 'ES256' | 'EdDSA'

export interface SigningKey {
  kid: string
  generation: number
  alg: SigningAlg
  privateKeyPem: string
  publicKeyPem: string
  /** As it stands in the JWKS (RFC 7517), with `kid`, `alg` and `use`. */
  jwk: PublicJwk
}

/** RFC 7517 section 4; an EC key has `y`, an OKP key (RFC 8037) has none. */
export interface PublicJwk {
  kty: string
  crv: string
  x: string
  y?: string
  kid: string
  alg: SigningAlg
  use: 'sig'
}

/** The keys that sign access tokens: kept sealed in the database, one for all processes. */
export interface SigningKeys {
  current(): SigningKey
  /** The public key for a `kid`; `undefined` when the database has none such. */
  find(kid: unknown): Promise<SigningKey | undefined>
  /** RFC 7517 section 5. */
  jwks(): { keys: PublicJwk[] }
}

/** Unknown `kid`s come from strangers, too: they make this process look into the database at most this often. */
const RELOAD_PAUSE_MS = 1_000

/**
 * Loads the keys, and makes the first one of this algorithm; when several processes start at once, all end
 * up with the same.
 *
 * @throws {UnsealError} when `SECRET_KEY` is not the one that sealed them.
 */
export async function openSigningKeys({
  db,
  box,
  clock,
  alg,
}: {
  db: Db
  box: SecretBox
  clock: Clock
  alg: SigningAlg
}): Promise<SigningKeys> {
  let keys = await load()
  let loadedAt = clock.now()

  async function load(): Promise<Map<string, SigningKey>> {
    const rows = await listSigningKeys(db)
    return new Map(
      rows.map((row) => {
        const pem = box.open(row.sealed_private_key, sealContext(row.id)).toString()
        return [row.id, describeKey({ pem, alg: row.alg, generation: row.generation })]
      }),
    )
  }

  async function makeNext(): Promise<void> {
    const generation = 1 + Math.max(0, ...[...keys.values()].map((key) => key.generation))
    const key = describeKey({ pem: generatePem(alg), alg, generation })
    await insertSigningKey(db, {
      id: key.kid,
      generation,
      alg,
      public_jwk: JSON.stringify(key.jwk),
      sealed_private_key: box.seal(Buffer.from(key.privateKeyPem), sealContext(key.kid)),
      created_at: clock.now(),
    })
    keys = await load()
  }

  function newest(): SigningKey | undefined {
    return [...keys.values()].findLast((key) => key.alg === alg)
  }

  while (!newest()) await makeNext()

  return {
    current: () => newest() as SigningKey,

    async find(kid) {
      if (typeof kid !== 'string') return undefined
      const now = clock.now()
      if (!keys.has(kid) && Math.abs(now - loadedAt) >= RELOAD_PAUSE_MS) {
        loadedAt = now
        keys = await load()
      }
      return keys.get(kid)
    },

    jwks: () => ({ keys: [...keys.values()].map(({ jwk }) => jwk) }),
  }
}

function sealContext(kid: string): string {
  return `signing_keys:${kid}`
}

function generatePem(alg: SigningAlg): string {
  const { privateKey } =
    alg === 'ES256' ? generateKeyPairSync('ec', { namedCurve: 'P-256' }) : generateKeyPairSync('ed25519')
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
}

function describeKey({
  pem,
  alg,
  generation,
}: {
  pem: string
  alg: SigningAlg
  generation: number
}): SigningKey {
  const publicKey = createPublicKey(createPrivateKey(pem))
  const publicJwk = publicKey.export({ format: 'jwk' }) as Pick<PublicJwk, 'kty' | 'crv' | 'x' | 'y'>
  const kid = thumbprint(publicJwk)
  return {
    kid,
    generation,
    alg,
    privateKeyPem: pem,
    publicKeyPem: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    jwk: { ...publicJwk, kid, alg, use: 'sig' },
  }
}

/** RFC 7638: SHA-256 over the required members in lexicographic order; the same key always has the same name. */
function thumbprint({ crv, kty, x, y }: Pick<PublicJwk, 'kty' | 'crv' | 'x' | 'y'>): string {
  const members = y === undefined ? { crv, kty, x } : { crv, kty, x, y }
  return createHash('sha256').update(JSON.stringify(members)).digest('base64url')
}
