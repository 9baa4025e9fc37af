import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPair,
  generateKeyPairSync,
  type KeyObject,
} from 'node:crypto'
import { promisify } from 'node:util'
import type { FastifyBaseLogger } from 'fastify'
import type { Selectable } from 'kysely'
import type { SecretBox } from '../crypto/secret-box.ts'
import { unavailable } from '../errors.ts'
import type { Clock } from '../platform/clock.ts'
import type { Db } from '../platform/database.ts'
import { isRotationDue, publishedKeysAt, signingKeyAt } from './key-schedule.ts'
import { deleteSigningKeys, insertSigningKey, listSigningKeys } from './key-store.ts'
import { type SigningKeysTable, signingKeyContext } from './tables.ts'

/** ECDSA on P-256, Ed25519, and RSA for verifiers that know nothing else. */
export const SIGNING_ALGS = ['ES256', 'EdDSA', 'RS256'] as const
export type SigningAlg = (typeof SIGNING_ALGS)[number]

/** RFC 7518 section 3.3 asks for 2048 at least. */
const RSA_BITS = 2048

export interface SigningKey {
  kid: string
  generation: number
  /** Epoch milliseconds. */
  createdAt: number
  alg: SigningAlg
  privateKeyPem: string
  publicKeyPem: string
  /** The key in the JWKS (RFC 7517), with `kid`, `alg` and `use`. */
  jwk: PublicJwk
}

/** What is said of a key when it is made. */
type Made = Pick<SigningKey, 'alg' | 'generation' | 'createdAt'>

/**
 * A key that the `SECRET_KEY` of this process does not open: it was made under one that this process lacks. It keeps its
 * turn, but is neither published nor believed: that its public part is true is known only by the private one.
 */
interface ClosedKey extends Made {
  kid: string
  fault: unknown
}

/** The log has said it: its cause is a word, so that anyone who sends the id of such a key writes no line. */
const closedKey = () => unavailable('closed signing key')

const isOpen = (key: SigningKey | ClosedKey): key is SigningKey => 'privateKeyPem' in key

/** RFC 7518 section 6: an EC key has `crv`, `x` and `y`, an RSA key `n` and `e`; an OKP key (RFC 8037) `crv` and `x`. */
interface KeyMembers {
  kty: string
  crv?: string
  x?: string
  y?: string
  n?: string
  e?: string
}

/** RFC 7517 section 4. */
export interface PublicJwk extends KeyMembers {
  kid: string
  alg: SigningAlg
  use: 'sig'
}

/** The keys that sign access tokens. They are kept sealed in the database, one set for all processes. */
export type SigningKeys = Awaited<ReturnType<typeof openSigningKeys>>

/** Tokens of strangers may have unknown `kid`s. They make this process ask the database at most this often. */
const RELOAD_PAUSE_MS = 1_000

interface Parts {
  db: Db
  box: SecretBox
  clock: Clock
  alg: SigningAlg
  /** The life of an access token in seconds. */
  tokenTtl: number
  logger: Pick<FastifyBaseLogger, 'error'>
}

/**
 * Loads the keys, and makes one if there is none for this algorithm. When several processes start at once, all end up
 * with the same key.
 *
 * @throws {UnsealError} when `SECRET_KEY` is not the one that sealed them.
 */
export async function openSigningKeys({ db, box, clock, alg, tokenTtl, logger }: Parts) {
  let keys: (SigningKey | ClosedKey)[] = []
  let loadedAt = 0
  const told = new Set<string>()

  /** Whether a new key opens or not, one that is gone is forgotten: it may have been revoked. */
  async function load(): Promise<void> {
    loadedAt = clock.now()
    const known = new Map(keys.filter(isOpen).map((key) => [key.kid, key]))
    const rows = await listSigningKeys(db)
    // The date may be another one: that of the key which took the place of a revoked one.
    keys = rows.map((row) => ({ ...(known.get(row.id) ?? keyOrFault(row, box)), createdAt: row.created_at }))
  }

  const closed = () => keys.filter((key): key is ClosedKey => !isOpen(key))

  function tellOfClosed(): void {
    for (const { kid, fault } of closed()) {
      if (!told.has(kid))
        logger.error(
          `SECRET_KEY does not open the signing key ${kid}, which was made while this process ran (${(fault as Error).message}). Restart it with the SECRET_KEY of the process or command that made the key. Until then it neither publishes this key nor signs with it, and answers its tokens with 503.`,
        )
      told.add(kid)
    }
  }

  async function makeNext(): Promise<void> {
    const generation = 1 + (keys.at(-1)?.generation ?? 0)
    await insertSigningKey(db, await newSigningKey(box, { alg, generation, createdAt: clock.now() }))
    await load()
  }

  const published = () => publishedKeysAt(keys, clock.now(), tokenTtl)

  /**
   * The key to sign with now. While the one whose turn it is does not open, one before it signs, as long as its tokens
   * are good to their end.
   *
   * @throws {AppError} unavailable, when there is none.
   */
  function current(): SigningKey {
    const turn = signingKeyAt(keys, clock.now()) as SigningKey | ClosedKey
    if (isOpen(turn)) return turn
    const kept = publishedKeysAt(keys, clock.now() + tokenTtl * 1000, tokenTtl)
    const before = kept.slice(0, kept.indexOf(turn)).findLast(isOpen)
    if (!before) throw closedKey()
    return before
  }

  /**
   * Makes the next key, unless one is already waiting to sign. It signs when every verifier can have it.
   *
   * @returns the key that signs next.
   */
  async function rotate(): Promise<Pick<SigningKey, 'kid' | 'alg'>> {
    await load()
    if (keys.at(-1) === signingKeyAt(keys, clock.now())) await makeNext()
    return keys.at(-1) as SigningKey
  }

  await load()
  for (const { fault } of closed()) throw fault
  // A key that waits under another algorithm does not count: only the newest key matters.
  if (keys.at(-1)?.alg !== alg) await makeNext()

  return {
    current,
    rotate,

    /**
     * The key of a `kid`, as long as one of its tokens may be valid.
     *
     * @throws {AppError} unavailable, when it does not open: its tokens may be good, but this process cannot tell.
     */
    async find(kid: unknown): Promise<SigningKey | undefined> {
      if (typeof kid !== 'string') return undefined
      const known = () => published().find((key) => key.kid === kid)
      if (!known() && Math.abs(clock.now() - loadedAt) >= RELOAD_PAUSE_MS) await load()
      const key = known()
      if (key && !isOpen(key)) throw closedKey()
      return key
    },

    /** RFC 7517 section 5. */
    jwks: () => ({
      keys: published()
        .filter(isOpen)
        .map(({ jwk }) => jwk),
    }),
    /** A sentence for the operator while a key does not open. */
    warning: () =>
      closed().length > 0
        ? 'The SECRET_KEY of this process does not open a signing key that was made while it ran. Restart it with the new SECRET_KEY.'
        : null,
    /** All keys, in the order they were made. */
    list: () => [...keys],

    /** Loads the keys of other processes, rotates by age, and drops keys that are no longer needed. */
    async maintain(): Promise<void> {
      await load()
      tellOfClosed()
      if (isRotationDue(keys, clock.now())) await rotate()
      const kept = published()
      const done = keys.filter((key) => !kept.includes(key)).map(({ kid }) => kid)
      await deleteSigningKeys(db, done)
      // Not replaced by what was kept: another look at the keys may have learned of a change meanwhile.
      keys = keys.filter(({ kid }) => !done.includes(kid))
    },
  }
}

/** A key as an operator sees it. */
export interface SigningKeyDescription {
  kid: string
  alg: SigningAlg
  /** Epoch milliseconds. */
  createdAt: number
  role: 'is retiring' | 'signs' | 'is next'
}

/** When the latest signing key was made, in epoch milliseconds; 0 when there is none. */
export async function latestSigningKeyAt(db: Db): Promise<number> {
  return Math.max(0, ...(await listSigningKeys(db)).map((key) => key.created_at))
}

/** The keys in the order they were made. No key is opened or made. */
export async function describeSigningKeys(db: Db, clock: Clock): Promise<SigningKeyDescription[]> {
  const keys = (await listSigningKeys(db)).map((row) => ({
    kid: row.id,
    alg: row.alg,
    createdAt: row.created_at,
  }))
  const signing = signingKeyAt(keys, clock.now())
  const turn = keys.findIndex(({ kid }) => kid === signing?.kid)
  return keys.map((key, index) => {
    const role = index < turn ? 'is retiring' : index > turn ? 'is next' : 'signs'
    return { ...key, role }
  })
}

/**
 * A new key as its row. None has a name that begins with `-`: a command line would take it for an option. To make one
 * may take a second: it comes before a transaction.
 */
export async function newSigningKey(box: SecretBox, made: Made): Promise<Selectable<SigningKeysTable>> {
  const privateKey = await generatePrivateKey(made.alg)
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  const { kid, jwk, privateKeyPem } = describeKey(pem, made)
  if (kid.startsWith('-')) return newSigningKey(box, made)
  return {
    id: kid,
    generation: made.generation,
    alg: made.alg,
    public_jwk: JSON.stringify(jwk),
    sealed_private_key: box.seal(Buffer.from(privateKeyPem), signingKeyContext(kid)),
    created_at: made.createdAt,
  }
}

/** A pair of RSA keys is searched for, in the thread pool; the others take a tenth of a millisecond. */
async function generatePrivateKey(alg: SigningAlg): Promise<KeyObject> {
  const { privateKey } = await {
    ES256: () => generateKeyPairSync('ec', { namedCurve: 'P-256' }),
    EdDSA: () => generateKeyPairSync('ed25519'),
    RS256: () => promisify(generateKeyPair)('rsa', { modulusLength: RSA_BITS }),
  }[alg]()
  return privateKey
}

function keyFromRow(row: Selectable<SigningKeysTable>, box: SecretBox): SigningKey {
  const pem = box.open(row.sealed_private_key, signingKeyContext(row.id)).toString()
  return describeKey(pem, { alg: row.alg, generation: row.generation, createdAt: row.created_at })
}

function keyOrFault(row: Selectable<SigningKeysTable>, box: SecretBox): SigningKey | ClosedKey {
  try {
    return keyFromRow(row, box)
  } catch (fault) {
    return { kid: row.id, alg: row.alg, generation: row.generation, createdAt: row.created_at, fault }
  }
}

function describeKey(pem: string, made: Made): SigningKey {
  const publicKey = createPublicKey(createPrivateKey(pem))
  const publicJwk = publicKey.export({ format: 'jwk' }) as KeyMembers
  const kid = thumbprint(publicJwk)
  return {
    kid,
    ...made,
    privateKeyPem: pem,
    publicKeyPem: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    jwk: { ...publicJwk, kid, alg: made.alg, use: 'sig' },
  }
}

/**
 * RFC 7638: SHA-256 over the required members in lexicographic order, so that the same key always has the same name.
 */
function thumbprint({ crv, e, kty, n, x, y }: KeyMembers): string {
  // Members that a key has not are not written.
  return createHash('sha256').update(JSON.stringify({ crv, e, kty, n, x, y })).digest('base64url')
}
