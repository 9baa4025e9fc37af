import type {
  AuthenticationResponseJSON,
  RegistrationResponseJSON,
  VerifiedAuthenticationResponse,
  VerifiedRegistrationResponse,
} from '@simplewebauthn/server'
import { packageAtFirstUse } from '../../platform/packages.ts'
import type { FactorAnswer } from '../factor.ts'
import type { FactorParts } from '../parts.ts'
import { expiryOf, type Question } from './challenge.ts'
import type { Passkey } from './store.ts'

export type { AuthenticationResponseJSON, RegistrationResponseJSON } from '@simplewebauthn/server'

/** What a passkey has signed, or a new one: which of the two the route says, and never what a client sends. */
export type PasskeyAnswer = FactorAnswer &
  (
    | { credential: AuthenticationResponseJSON; registration?: undefined }
    | { registration: RegistrationResponseJSON; name?: string; userAgent: string }
  )

/** Why a passkey was refused. */
export type Refusal = 'challenge' | 'origin' | 'user_verification' | 'counter' | 'credential'

/** ES256, EdDSA, RS256, ES384, ES512, the best known first (RFC 9053; RFC 8812 for RS256). */
export const ALGORITHMS = [-7, -8, -257, -35, -36]

/** None is asked for; some authenticators send their own. */
const ATTESTATIONS = ['none', 'packed']

const library = packageAtFirstUse<typeof import('@simplewebauthn/server')>('@simplewebauthn/server')

const helpers = packageAtFirstUse<typeof import('@simplewebauthn/server/helpers')>(
  '@simplewebauthn/server/helpers',
)

/** A challenge that was answered, still to be spent. */
export interface Answered {
  challenge: string
  expiresAt: number
}

export interface Registered extends Answered {
  registration: NonNullable<VerifiedRegistrationResponse['registrationInfo']>
}

export interface Asserted extends Answered {
  assertion: VerifiedAuthenticationResponse['authenticationInfo']
}

type Parts = Pick<FactorParts, 'clock' | 'keyedHash' | 'relyingParty'>

/** Checks a new passkey (WebAuthn Level 3 section 7.1). Who made its authenticator is not asked. */
export async function checkRegistration(
  parts: Parts,
  response: RegistrationResponseJSON,
  question: Question,
): Promise<Registered | Refusal> {
  const answered = readClientData(parts, response.response.clientDataJSON, question)
  if (typeof answered === 'string') return answered
  const { registrationInfo } = await verified(() =>
    library().verifyRegistrationResponse({
      ...expected(parts, answered),
      response,
      requireUserVerification: false,
      supportedAlgorithmIDs: ALGORITHMS,
    }),
  )
  if (registrationInfo?.credential.id !== response.id || !(await isSound(registrationInfo)))
    return 'credential'
  return { ...answered, registration: registrationInfo }
}

/** Shorter ones of RSA are refused (NIST SP 800-131A). */
const MIN_RSA_BYTES = 256
/** A signature in DER that no key has made. */
const NO_SIGNATURE = Uint8Array.from([0x30, 0x06, 0x02, 0x01, 0x01, 0x02, 0x01, 0x01])

/** Whether signatures of the key can be checked at all: it could otherwise become a factor that never answers. */
async function isSound({ credential: { publicKey }, fmt }: Registered['registration']): Promise<boolean> {
  if (!ATTESTATIONS.includes(fmt)) return false
  const { cose, decodeCredentialPublicKey, verifySignature } = helpers()
  const modulus = decodeCredentialPublicKey(publicKey).get(cose.COSEKEYS.n as never) as Uint8Array | undefined
  if (modulus instanceof Uint8Array && modulus.length < MIN_RSA_BYTES) return false
  const tried = await verified(async () => ({
    right: await verifySignature({
      signature: NO_SIGNATURE,
      data: NO_SIGNATURE,
      credentialPublicKey: publicKey,
    }),
  }))
  return tried.right === false
}

/**
 * Checks that a passkey has signed a challenge (WebAuthn Level 3 section 7.2). The counter is left to the caller, who
 * compares it where it is written.
 *
 * @param alone whether nothing else was shown: then its owner has to be verified, by a finger, a face or a PIN.
 */
export async function checkAssertion(
  parts: Parts,
  response: AuthenticationResponseJSON,
  question: Question,
  { passkey, alone }: { passkey: Passkey; alone: boolean },
): Promise<Asserted | Refusal> {
  const answered = readClientData(parts, response.response.clientDataJSON, question)
  if (typeof answered === 'string') return answered
  const { verified: right, authenticationInfo } = await verified(() =>
    library().verifyAuthenticationResponse({
      ...expected(parts, answered),
      response,
      requireUserVerification: false,
      credential: {
        id: passkey.credentialId,
        publicKey: Uint8Array.from(Buffer.from(passkey.publicKey, 'base64url')),
        counter: 0,
      },
    }),
  )
  if (!right || !authenticationInfo) return 'credential'
  const { credentialDeviceType, userVerified } = authenticationInfo
  if ((credentialDeviceType === 'multiDevice') !== passkey.backupEligible) return 'credential'
  if (alone && !userVerified) return 'user_verification'
  return { ...answered, assertion: authenticationInfo }
}

const expected = ({ relyingParty }: Parts, { challenge }: Answered) => ({
  expectedChallenge: challenge,
  expectedOrigin: [...relyingParty.origins],
  expectedRPID: relyingParty.id,
})

/** What the library throws says that the answer is not as it must be. */
async function verified<T extends object>(verify: () => Promise<T>): Promise<Partial<T>> {
  try {
    return await verify()
  } catch {
    return {}
  }
}

/** Reads what the browser has signed of its own: which challenge, asked by which page, and not from within another one. */
function readClientData(parts: Parts, encoded: string, question: Question): Answered | Refusal {
  let data: Record<string, unknown> | null
  try {
    data = JSON.parse(Buffer.from(encoded, 'base64url').toString())
  } catch {
    return 'credential'
  }
  const { challenge, crossOrigin, origin, topOrigin } = data ?? {}
  if (typeof challenge !== 'string' || typeof origin !== 'string') return 'credential'
  if (
    !parts.relyingParty.origins.includes(origin) ||
    (crossOrigin ?? false) !== false ||
    topOrigin !== undefined
  )
    return 'origin'
  const expiresAt = expiryOf(parts, challenge, question)
  return expiresAt === undefined ? 'challenge' : { challenge, expiresAt }
}
