import type {
  PublicKeyCredentialCreationOptionsJSON,
  PublicKeyCredentialRequestOptionsJSON,
} from '@simplewebauthn/server'
import type { AccessPrincipal, MfaPrincipal } from '../../api/principal.ts'
import type { Caller } from '../../caller.ts'
import { notEnrolled } from '../../errors.ts'
import { inTransaction } from '../../platform/database.ts'
import { askerId } from '../bound-to.ts'
import { type Enrolling, enrollingAccount } from '../enrolling-account.ts'
import { showsEnrolmentCode } from '../enrolment-code.ts'
import type { FactorParts } from '../parts.ts'
import { factorLimitReached } from '../problems.ts'
import type { FactorsRoom } from '../room.ts'
import { ALGORITHMS } from './ceremony.ts'
import { ANYBODY, CHALLENGE_TTL, newChallenge, type Question } from './challenge.ts'
import { listPasskeys, type Passkey } from './store.ts'

/** Of one account: enough for every device that a person has. */
export const MOST_PASSKEYS = 20

/** What a browser is given, with how long it may take, in seconds. */
export interface Asked<Options> {
  options: Options
  expiresIn: number
}

/** Random to all who do not have the key of this database, and the same for all passkeys of an account (section 14.6.1). */
export function userHandleOf({ keyedHash }: Pick<FactorParts, 'keyedHash'>, accountId: string): string {
  return keyedHash('passkey user handle', accountId)
}

/**
 * What a browser makes a passkey from (WebAuthn Level 3 section 5.4).
 *
 * @throws {AppError} already_enrolled, enrolment_code_required, invalid_code, factor_limit_reached, invalid_token,
 * insufficient_user_authentication
 */
export async function askToCreate(
  room: FactorsRoom,
  asking: Enrolling,
  enrolmentCode: string | undefined,
  caller: Caller,
): Promise<Asked<PublicKeyCredentialCreationOptionsJSON>> {
  const { appName, db, factors, relyingParty } = room
  const shown = asking.kind === 'mfa' && (await showsEnrolmentCode(room, asking, enrolmentCode, caller))
  const factor = factors.named('passkey')
  const account = await inTransaction(db, (trx) =>
    enrollingAccount(room, trx, asking, { factor, codeShown: shown }),
  )
  const known = await listPasskeys(db, account.id)
  if (known.length >= MOST_PASSKEYS) throw factorLimitReached(MOST_PASSKEYS)
  const challenge = newChallenge(room, { purpose: 'create', accountId: account.id, boundTo: askerId(asking) })
  const { username } = account
  return {
    expiresIn: CHALLENGE_TTL.create,
    options: {
      rp: { id: relyingParty.id, name: appName },
      user: { id: userHandleOf(room, account.id), name: username, displayName: username },
      challenge,
      pubKeyCredParams: ALGORITHMS.map((alg) => ({ type: 'public-key', alg })),
      timeout: CHALLENGE_TTL.create * 1000,
      excludeCredentials: known.map(descriptorOf),
      authenticatorSelection: { residentKey: 'preferred', userVerification: 'preferred' },
      attestation: 'none',
    },
  }
}

/**
 * What a passkey of the account signs to answer an mfa token, or for a step-up.
 *
 * @throws {AppError} not_enrolled, invalid_token
 */
export async function askToVerify(
  room: FactorsRoom,
  asking: MfaPrincipal | AccessPrincipal,
): Promise<Asked<PublicKeyCredentialRequestOptionsJSON>> {
  const { id } = asking.account
  // The guard of an mfa token has read the challenge alone.
  if (asking.kind === 'mfa') await inTransaction(room.db, (trx) => room.accounts.present(trx, id))
  const known = await listPasskeys(room.db, id)
  if (known.length === 0) throw notEnrolled()
  const question = { purpose: 'verify', accountId: id, boundTo: askerId(asking) } as const
  return requestOptions(room, question, {
    userVerification: 'preferred',
    allowCredentials: known.map(descriptorOf),
  })
}

/** The same for a sign-in by a passkey alone: it names no account, so it tells of none. */
export function askAnybody(room: FactorsRoom): Asked<PublicKeyCredentialRequestOptionsJSON> {
  return requestOptions(room, ANYBODY, { userVerification: 'required' })
}

function requestOptions(
  room: FactorsRoom,
  question: Question,
  rest: Pick<PublicKeyCredentialRequestOptionsJSON, 'userVerification' | 'allowCredentials'>,
): Asked<PublicKeyCredentialRequestOptionsJSON> {
  const expiresIn = CHALLENGE_TTL[question.purpose]
  const challenge = newChallenge(room, question)
  const { id: rpId } = room.relyingParty
  return { expiresIn, options: { rpId, challenge, timeout: expiresIn * 1000, ...rest } }
}

const descriptorOf = ({ credentialId, transports }: Passkey) => ({
  type: 'public-key' as const,
  id: credentialId,
  // What a browser has told us, and is told again; one that it does not know it leaves out (section 5.8.3).
  transports: [...transports] as never[],
})
