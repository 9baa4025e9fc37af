import type { AuditTrail } from '../audit/trail.ts'
import type { KeyedHash } from '../crypto/keyed-hash.ts'
import { newNumericCode, normalizeNumericCode } from '../crypto/numeric-code.ts'
import { emailDeliveryFailed, emailUnavailable, invalidCode } from '../errors.ts'
import type { MailAllowance } from '../mail/allowance.ts'
import { refuseInCoolDown } from '../mail/cool-down.ts'
import type { SendLetter } from '../mail/send-letter.ts'
import { addressCode } from '../mail/templates/codes.ts'
import { type Clock, rfc3339 } from '../platform/clock.ts'
import type { Db, Trx } from '../platform/database.ts'
import { CODE_POLICY, type FailureCounters } from '../sign-in/failure-counters.ts'
import type { Client, SignedIn } from '../tokens/sessions.ts'
import type { StillSignedIn } from '../tokens/signed-in.ts'
import type { Factors } from '../two-factor/factors.ts'
import type { Account } from './account.ts'
import type { Accounts } from './accounts.ts'
import { deleteEmailChange, lastEmailChangeAt, putEmailChange, tryEmailChange } from './email-change-store.ts'
import { voidPasswordResets } from './password-reset-store.ts'
import { replaceEmail } from './store.ts'

const CODE_TTL_SECONDS = 600
/** For one code; the counter of the account goes on over all of them. */
const MAX_WRONG_CODES = 5
const FACTOR = 'new address'

/** A new address counts when a code that was sent to it has come back; until then the old one does. */
export interface ChangeEmail {
  /** @throws {AppError} email_unavailable, rate_limited, email_delivery_failed */
  begin(signedIn: SignedIn, address: string, client: Client): Promise<void>
  /** @throws {AppError} invalid_code, too_many_attempts */
  prove(signedIn: SignedIn, code: string, client: Client): Promise<{ account: Account; enrolled: boolean }>
}

/** @param sendLetter `null` when the service has no mail server. */
export function makeChangeEmail({
  db,
  clock,
  keyedHash,
  accounts,
  stillSignedIn,
  trail,
  allowance,
  failureCounters,
  factors,
  sendLetter,
}: {
  db: Db
  clock: Clock
  keyedHash: KeyedHash
  accounts: Accounts
  stillSignedIn: StillSignedIn
  trail: AuditTrail
  allowance: MailAllowance
  failureCounters: FailureCounters
  factors: Factors
  sendLetter: SendLetter | null
}): ChangeEmail {
  const hash = (accountId: string, address: string, code: string) =>
    keyedHash('email code', accountId, address, normalizeNumericCode(code))

  /** Codes by mail that guesses have closed are a factor set up anew when their mailbox is proven anew. */
  async function reopenMailbox(trx: Trx, account: Account, client: Client): Promise<void> {
    const closed = await failureCounters.closedFactors(trx, account.id)
    if (!closed.includes('email')) return
    await failureCounters.succeed(trx, account.id, 'email')
    await trail.record(trx, 'factor_enrolled', { account, method: 'email' }, client)
  }

  /** `null` when the code is wrong; the try is counted then, and must be committed. */
  async function replace(
    trx: Trx,
    signedIn: SignedIn,
    code: string,
    client: Client,
  ): Promise<Account | null> {
    const account = await stillSignedIn(trx, signedIn)
    const now = clock.now()
    await failureCounters.begin(trx, account.id, FACTOR, CODE_POLICY)
    const change = await tryEmailChange(trx, account.id, now, MAX_WRONG_CODES)
    if (!change || change.codeHash !== hash(account.id, change.address, code)) {
      await failureCounters.fail(trx, account.id, FACTOR, CODE_POLICY)
      return null
    }
    await failureCounters.succeed(trx, account.id, FACTOR)
    await deleteEmailChange(trx, account.id, change.codeHash)
    const changed = await replaceEmail(trx, account.id, change.address, now)
    await reopenMailbox(trx, changed, client)
    if (account.email !== change.address) {
      // What was mailed to the mailbox that was left resets nothing any more.
      await voidPasswordResets(trx, account.id, now)
      await trail.record(trx, 'email_changed', { account, alsoTo: [change.address] }, client)
    }
    return changed
  }

  return {
    async begin(signedIn, address, client) {
      if (!sendLetter) throw emailUnavailable()
      const { account } = signedIn
      const code = newNumericCode()
      const codeHash = hash(account.id, address, code)
      await db.transaction().execute(async (trx) => {
        await stillSignedIn(trx, signedIn)
        const now = clock.now()
        refuseInCoolDown(await lastEmailChangeAt(trx, account.id), now)
        await allowance.take(trx, account, address)
        await putEmailChange(trx, {
          accountId: account.id,
          address,
          codeHash,
          sentAt: now,
          expiresAt: now + CODE_TTL_SECONDS * 1000,
        })
        await trail.record(trx, 'email_change_requested', { account }, client)
      })
      try {
        const about = { username: account.username, at: clock.now(), ip: client.ip }
        await sendLetter(address, addressCode({ ...about, code, minutes: CODE_TTL_SECONDS / 60 }))
      } catch (error) {
        await db.transaction().execute(async (trx) => {
          await accounts.lock(trx, account.id)
          await deleteEmailChange(trx, account.id, codeHash)
          await allowance.giveBack(trx, account, address)
        })
        throw emailDeliveryFailed(error)
      }
    },

    async prove(signedIn, code, client) {
      const changed = await db.transaction().execute(async (trx) => {
        const account = await replace(trx, signedIn, code, client)
        return account && { account, enrolled: (await factors.of(trx, account)).enrolled }
      })
      if (!changed) throw invalidCode(rfc3339(clock.now()))
      return changed
    },
  }
}
