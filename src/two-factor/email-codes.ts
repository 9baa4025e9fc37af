import type { Account } from '../accounts/account.ts'
import type { AuditTrail } from '../audit/trail.ts'
import type { KeyedHash } from '../crypto/keyed-hash.ts'
import { newNumericCode, normalizeNumericCode } from '../crypto/numeric-code.ts'
import { emailDeliveryFailed, emailUnavailable, mailedTooOften } from '../errors.ts'
import type { SendLetter } from '../mail/send-letter.ts'
import { signInCode } from '../mail/templates/codes.ts'
import type { Clock } from '../platform/clock.ts'
import type { Db, Trx } from '../platform/database.ts'
import type { Challenge } from '../sign-in/challenges.ts'
import type { Client } from '../tokens/sessions.ts'
import { findEmailSends, putEmailCode, takeBackEmailCode, useEmailCode } from './email-code-store.ts'

const CODE_TTL_SECONDS = 600
const COOL_DOWN_SECONDS = 60

/** Mails in an hour to one account, over all its challenges. */
const MAX_SENDS = 10
export const SENDS_WINDOW_MS = 3_600_000

/** What the client is told of a code that is on its way; times are whole seconds. */
export interface SentCode {
  sentTo: string
  expiresIn: number
  resendAfter: number
}

/** Six digits by mail, bound to the challenge they were asked for with. */
export interface EmailCodes {
  /** Whether such codes are offered to this account. */
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
  trail,
  sendLetter,
}: {
  db: Db
  clock: Clock
  keyedHash: KeyedHash
  trail: AuditTrail
  sendLetter: SendLetter | null
}): EmailCodes {
  /** With the address it went to: a mailbox that the account has left answers nothing any more. */
  const hash = (challengeId: string, address: string, code: string) =>
    keyedHash('email code', challengeId, address, normalizeNumericCode(code))

  async function refuseTooOften(trx: Trx, challenge: Challenge, now: number): Promise<void> {
    const { lastSentAt, sends } = await findEmailSends(trx, {
      challengeId: challenge.id,
      accountId: challenge.accountId,
      since: now - SENDS_WINDOW_MS,
    })
    const wait = lastSentAt === null ? 0 : Math.ceil((lastSentAt - now) / 1000) + COOL_DOWN_SECONDS
    if (wait > 0) throw mailedTooOften(wait)
    if (sends >= MAX_SENDS) throw mailedTooOften(SENDS_WINDOW_MS / 1000)
  }

  return {
    offeredTo: ({ email }) => sendLetter !== null && email !== null,

    async send(account, challenge, client) {
      if (!sendLetter || account.email === null) throw emailUnavailable()
      const code = newNumericCode()
      const codeHash = hash(challenge.id, account.email, code)
      await db.transaction().execute(async (trx) => {
        const now = clock.now()
        await refuseTooOften(trx, challenge, now)
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
        const letter = signInCode({ username: account.username, code, minutes: CODE_TTL_SECONDS / 60 })
        await sendLetter(account.email, letter)
      } catch (error) {
        await db.transaction().execute((trx) => takeBackEmailCode(trx, challenge.id, codeHash))
        throw emailDeliveryFailed(error)
      }
      return {
        sentTo: maskAddress(account.email),
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
