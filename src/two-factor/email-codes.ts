import type { Account } from '../accounts/account.ts'
import type { Accounts } from '../accounts/accounts.ts'
import type { AuditTrail } from '../audit/trail.ts'
import type { KeyedHash } from '../crypto/keyed-hash.ts'
import { newNumericCode, normalizeNumericCode } from '../crypto/numeric-code.ts'
import { emailDeliveryFailed, emailUnavailable } from '../errors.ts'
import type { MailAllowance } from '../mail/allowance.ts'
import { COOL_DOWN_SECONDS, refuseInCoolDown } from '../mail/cool-down.ts'
import type { SendLetter } from '../mail/send-letter.ts'
import { signInCode } from '../mail/templates/codes.ts'
import type { Clock } from '../platform/clock.ts'
import type { Db, Trx } from '../platform/database.ts'
import type { Challenge } from '../sign-in/challenges.ts'
import type { Client } from '../tokens/sessions.ts'
import { lastEmailCodeAt, putEmailCode, takeBackEmailCode, useEmailCode } from './email-code-store.ts'

const CODE_TTL_SECONDS = 600

/** What the client is told of a code that is on its way; times are whole seconds. */
export interface SentCode {
  sentTo: string
  expiresIn: number
  resendAfter: number
}

/** Six digits by mail, bound to the challenge they were asked for with. */
export interface EmailCodes {
  /** Whether such codes are offered to this account: not through a mailbox that has just set the password. */
  offeredTo(account: Account): boolean
  /** @throws {AppError} email_unavailable, rate_limited, email_delivery_failed */
  send(account: Account, challenge: Challenge, client: Client): Promise<SentCode>
  /** Whether the text is the challenge's code, mailed to the account's address; it is used from then on. */
  redeem(trx: Trx, account: Account, challengeId: string, text: string): Promise<boolean>
}

/** @param sendLetter `null` when such codes are switched off. */
export function makeEmailCodes({
  db,
  clock,
  keyedHash,
  accounts,
  trail,
  allowance,
  sendLetter,
}: {
  db: Db
  clock: Clock
  keyedHash: KeyedHash
  accounts: Accounts
  trail: AuditTrail
  allowance: MailAllowance
  sendLetter: SendLetter | null
}): EmailCodes {
  /** With the address it went to: a mailbox that the account has left answers nothing any more. */
  const hash = (challengeId: string, address: string, code: string) =>
    keyedHash('email code', challengeId, address, normalizeNumericCode(code))

  const offeredTo = ({ email, passwordByMail }: Account) =>
    sendLetter !== null && email !== null && !passwordByMail

  return {
    offeredTo,

    async send(account, challenge, client) {
      const { email } = account
      if (!sendLetter || email === null || !offeredTo(account)) throw emailUnavailable()
      const code = newNumericCode()
      const codeHash = hash(challenge.id, email, code)
      await db.transaction().execute(async (trx) => {
        await accounts.present(trx, account.id)
        const now = clock.now()
        refuseInCoolDown(await lastEmailCodeAt(trx, challenge.id), now)
        await allowance.take(trx, account, email)
        await putEmailCode(trx, {
          challengeId: challenge.id,
          accountId: account.id,
          codeHash,
          sentAt: now,
          expiresAt: now + CODE_TTL_SECONDS * 1000,
        })
        await trail.record(trx, 'code_sent', { account, method: 'email' }, client)
      })
      try {
        const about = { username: account.username, at: clock.now(), ip: client.ip }
        await sendLetter(email, signInCode({ ...about, code, minutes: CODE_TTL_SECONDS / 60 }))
      } catch (error) {
        await db.transaction().execute(async (trx) => {
          await accounts.lock(trx, account.id)
          await takeBackEmailCode(trx, challenge.id, codeHash)
          await allowance.giveBack(trx, account, email)
        })
        throw emailDeliveryFailed(error)
      }
      return {
        sentTo: maskAddress(email),
        expiresIn: CODE_TTL_SECONDS,
        resendAfter: COOL_DOWN_SECONDS,
      }
    },

    async redeem(trx, { email }, challengeId, text) {
      return email !== null && useEmailCode(trx, challengeId, hash(challengeId, email, text), clock.now())
    },
  }
}

/** Enough for the owner to know which mailbox to look into: `a***@e***.com`. */
export function maskAddress(address: string): string {
  const [local = '', domain = ''] = address.split('@')
  const topLevel = domain.slice(domain.lastIndexOf('.'))
  return `${local[0]}***@${domain[0]}***${topLevel}`
}
