import type { Caller } from '../../caller.ts'
import { inTransaction } from '../../platform/database.ts'
import { newId } from '../../platform/ids.ts'
import { askerId } from '../bound-to.ts'
import { type Enrolling, enrollingAccount } from '../enrolling-account.ts'
import { showsEnrolmentCode } from '../enrolment-code.ts'
import { factorLimitReached, noSuchFactor } from '../problems.ts'
import type { FactorsRoom } from '../room.ts'
import { NO_STEP, newTotpSecret } from './code.ts'
import { MOST_AUTHENTICATORS } from './confirm.ts'
import { base32, keyUri } from './key-uri.ts'
import {
  DEFAULT_NAME,
  deleteTotpFactors,
  findTotpFactors,
  insertPendingTotpFactor,
  updatePending,
} from './store.ts'
import { totpSecretContext } from './tables.ts'

/** How long a pending authenticator waits for its confirming code, in seconds. */
const PENDING_TTL = 600

/** What an authenticator app needs. */
export interface PendingAuthenticator {
  /** Base32. */
  secret: string
  otpauthUri: string
  /** Seconds until the secret is void unless a code has confirmed it. */
  expiresIn: number
}

/**
 * Makes a pending authenticator; active ones stay in force meanwhile. Asked again by the same sign-in or session it is the
 * same one, until a code was tried: an app that lost the answer shows the code that was scanned.
 *
 * @param replaces the id of the authenticator that goes when this one is confirmed.
 * @throws {AppError} enrolment_code_required, invalid_code, factor_limit_reached, not_found; already_enrolled where only
 * a password was shown for an account with a factor.
 */
export async function setUp(
  room: FactorsRoom,
  asking: Enrolling,
  wanted: { enrolmentCode?: string; name?: string; replaces?: string },
  caller: Caller,
): Promise<PendingAuthenticator> {
  const { appName, box, clock, db, trail } = room
  const codeShown =
    asking.kind === 'mfa' && (await showsEnrolmentCode(room, asking, wanted.enrolmentCode, caller))
  const now = clock.now()
  const { name = DEFAULT_NAME, replaces = null } = wanted
  const begunBy = askerId(asking)
  const { account, secret, expiresAt } = await inTransaction(db, async (trx) => {
    const account = await enrollingAccount(room, trx, asking, { codeShown, replaces })
    const { active, pending } = await findTotpFactors(trx, account.id, now)
    if (replaces !== null && !active.some(({ id }) => id === replaces)) throw noSuchFactor()
    if (replaces === null && active.length >= MOST_AUTHENTICATORS)
      throw factorLimitReached(MOST_AUTHENTICATORS)
    const own = pending.find((each) => each.begunBy === begunBy)
    if (own && !own.tried) {
      await updatePending(trx, { id: own.id, name, replaces })
      const secret = box.open(own.sealedSecret, totpSecretContext(account.id, own.id))
      return { account, secret, expiresAt: own.expiresAt }
    }
    const [oldest] = pending
    const going = own ?? (pending.length >= MOST_AUTHENTICATORS ? oldest : undefined)
    if (going) await deleteTotpFactors(trx, account.id, now, going.id)
    const [id, secret] = [newId(clock), newTotpSecret()]
    const expiresAt = now + PENDING_TTL * 1000
    await insertPendingTotpFactor(trx, {
      ...{ id, accountId: account.id, name, begunBy, replaces, expiresAt },
      sealedSecret: box.seal(secret, totpSecretContext(account.id, id)),
      ...{ lastUsedStep: NO_STEP, otherSteps: [], createdAt: now, confirmedAt: null, lastUsedAt: null },
    })
    await trail.record(trx, 'factor_pending', { account, method: 'totp' }, caller)
    return { account, secret, expiresAt }
  })
  return {
    secret: base32(secret),
    otpauthUri: keyUri({ secret, issuer: appName, account: account.username }),
    expiresIn: Math.ceil((expiresAt - now) / 1000),
  }
}
