import type { Account } from '../accounts/account.ts'
import type { Accounts } from '../accounts/accounts.ts'
import type { AuditTrail } from '../audit/trail.ts'
import type { SecretBox } from '../crypto/secret-box.ts'
import { alreadyEnrolled } from '../errors.ts'
import type { Clock } from '../platform/clock.ts'
import type { Db, Trx } from '../platform/database.ts'
import { newId } from '../platform/ids.ts'
import type { Client, Session } from '../tokens/sessions.ts'
import type { StillSignedIn } from '../tokens/signed-in.ts'
import type { Factors } from './factors.ts'
import { base32, keyUri } from './key-uri.ts'
import { putPendingTotpFactor } from './store.ts'
import { NO_STEP, newTotpSecret } from './totp.ts'

/** How long a pending authenticator waits for its confirming code, in seconds. */
const PENDING_TTL = 600

/** What an authenticator app needs; shown this once. */
export interface Enrolment {
  /** Base32. */
  secret: string
  otpauthUri: string
  /** Seconds until the secret is void unless a code has confirmed it. */
  expiresIn: number
}

/**
 * Makes a new pending authenticator in place of the one before; an active one stays in force meanwhile.
 *
 * @param who with a session, which has proven the factor that is active now, or with a password alone.
 * @throws {AppError} already_enrolled for who has shown a password alone.
 */
export type SetUp = (who: { account: Account; session?: Session }, client: Client) => Promise<Enrolment>

/** @param issuer the name an authenticator app shows. */
export function makeSetUp({
  db,
  clock,
  box,
  accounts,
  stillSignedIn,
  factors,
  trail,
  issuer,
}: {
  db: Db
  accounts: Accounts
  stillSignedIn: StillSignedIn
  factors: Factors
  trail: AuditTrail
  clock: Clock
  box: SecretBox
  issuer: string
}): SetUp {
  async function present(trx: Trx, { account: known, session }: Parameters<SetUp>[0]): Promise<Account> {
    if (session) return stillSignedIn(trx, { account: known, session })
    const account = await accounts.present(trx, known.id)
    if (await factors.enrolled(trx, account)) throw alreadyEnrolled()
    return account
  }

  return async (who, client) => {
    const secret = newTotpSecret()
    const id = newId(clock)
    const now = clock.now()
    const account = await db.transaction().execute(async (trx) => {
      const account = await present(trx, who)
      await putPendingTotpFactor(trx, {
        id,
        accountId: account.id,
        state: 'pending',
        sealedSecret: box.seal(secret, totpSecretContext(account.id, id)),
        lastUsedStep: NO_STEP,
        createdAt: now,
        expiresAt: now + PENDING_TTL * 1000,
        confirmedAt: null,
      })
      await trail.record(trx, 'factor_pending', { account, method: 'totp' }, client)
      return account
    })
    return {
      secret: base32(secret),
      otpauthUri: keyUri({ secret, issuer, account: account.username }),
      expiresIn: PENDING_TTL,
    }
  }
}

/** A sealed secret opens only in the row of its own factor and account. */
export function totpSecretContext(accountId: string, factorId: string): string {
  return `totp_factors:${accountId}:${factorId}`
}
