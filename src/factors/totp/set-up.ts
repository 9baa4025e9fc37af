import type { Caller } from '../../caller.ts'
import { inTransaction } from '../../platform/database.ts'
import { newId } from '../../platform/ids.ts'
import { type Enrolling, enrollingAccount } from '../enrolling-account.ts'
import { showsEnrolmentCode } from '../enrolment-code.ts'
import type { FactorsRoom } from '../room.ts'
import { NO_STEP, newTotpSecret } from './code.ts'
import { base32, keyUri } from './key-uri.ts'
import { putPendingTotpFactor } from './store.ts'
import { totpSecretContext } from './tables.ts'

/** How long a pending authenticator waits for its confirming code, in seconds. */
const PENDING_TTL = 600

/** What an authenticator app needs. It is shown only once. */
export interface PendingAuthenticator {
  /** Base32. */
  secret: string
  otpauthUri: string
  /** Seconds until the secret is void unless a code has confirmed it. */
  expiresIn: number
}

/**
 * Makes a new pending authenticator in place of the one before; an active one stays in force meanwhile.
 *
 * @throws {AppError} enrolment_code_required, invalid_code; already_enrolled where only a password was shown for an
 * account with a factor.
 */
export async function setUp(
  room: FactorsRoom,
  asking: Enrolling,
  { enrolmentCode }: { enrolmentCode?: string },
  caller: Caller,
): Promise<PendingAuthenticator> {
  const { appName, box, clock, db, trail } = room
  const shown = asking.kind === 'mfa' && (await showsEnrolmentCode(room, asking, enrolmentCode, caller))
  const secret = newTotpSecret()
  const id = newId(clock)
  const now = clock.now()
  const account = await inTransaction(db, async (trx) => {
    const account = await enrollingAccount(room, trx, asking, shown)
    await putPendingTotpFactor(trx, {
      id,
      accountId: account.id,
      state: 'pending',
      sealedSecret: box.seal(secret, totpSecretContext(account.id, id)),
      lastUsedStep: NO_STEP,
      otherSteps: [],
      createdAt: now,
      expiresAt: now + PENDING_TTL * 1000,
      confirmedAt: null,
    })
    await trail.record(trx, 'factor_pending', { account, method: 'totp' }, caller)
    return account
  })
  return {
    secret: base32(secret),
    otpauthUri: keyUri({ secret, issuer: appName, account: account.username }),
    expiresIn: PENDING_TTL,
  }
}
