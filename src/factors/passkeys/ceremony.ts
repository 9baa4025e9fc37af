import type {
  AuthenticationResponseJSON,
  RegistrationResponseJSON,
  VerifiedAuthenticationResponse,
  VerifiedRegistrationResponse,
} from '@simplewebauthn/server'
import { packageAtFirstUse } from '../../platform/at-first-use.ts'
import type { FactorAnswer } from '../factor.ts'
import type { FactorParts } from '../parts.ts'
import { expiryOf, type Question } from './challenge.ts'
import type { Passkey } from './store.ts'

export type { AuthenticationResponseJSON, RegistrationResponseJSON } from '@simplewebauthn/server'

/** A new passkey with its name, or what one has signed. */
export interface PasskeyAnswer extends FactorAnswer {
  credential: AuthenticationResponseJSON | RegistrationResponseJSON
  name?: string
  userAgent?: string
}

/** Why a passkey was refused. */
export type Refusal = 'challenge' | 'origin' | 'user_verification' | 'counter' | 'credential'

/** ES256, EdDSA, RS256, ES384, ES512, the best known first (RFC 9053; RFC 8812 for RS256). */
export const ALGORITHMS = [-7, -8, -257, -35, -36]

const library = packageAtFirstUse<typeof import('@simplewebauthn/server')>('@simplewebauthn/server')

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
  return registrationInfo ? { ...answered, registration: registrationInfo } : 'credential'
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
  if (!parts.relyingParty.origins.includes(origin) || crossOrigin === true || topOrigin !== undefined)
    return 'origin'
  const expiresAt = expiryOf(parts, challenge, question)
  return expiresAt === undefined ? 'challenge' : { challenge, expiresAt }
}
