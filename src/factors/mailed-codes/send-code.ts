import type { Account } from '../../accounts/account.ts'
import type { Caller } from '../../caller.ts'
import type { Challenge } from '../../challenges/challenge.ts'
import { newNumericCode, typedCode } from '../../crypto/codes.ts'
import { enrolmentCodeRequired } from '../../errors.ts'
import { COOL_DOWN_SECONDS, refuseInCoolDown } from '../../mail/cool-down.ts'
import { emailDeliveryFailed, emailUnavailable } from '../../mail/problems.ts'
import { signInCode } from '../../mail/templates/codes.ts'
import { inTransaction } from '../../platform/database.ts'
import { mayArrive } from '../../platform/mail-error.ts'
import { maskAddress } from '../../values/email-address.ts'
import type { Facts } from '../factor.ts'
import type { FactorsRoom } from '../room.ts'
import { lastEmailCodeAt, putEmailCode, takeBackEmailCode } from './store.ts'

const CODE_TTL_SECONDS = 600

/** `active`: the mailbox is a factor; where there is another one, because its owner has switched it on. */
export type MailedCodeFact = 'active' | 'passwordByMail'

/** The hash includes the address: after the account has changed its address, codes sent to the old one are void. */
export function hashCode(
  keyedHash: FactorsRoom['keyedHash'],
  challengeId: string,
  address: string,
  code: string,
): string {
  return keyedHash('email code', challengeId, address, typedCode(code))
}

/**
 * Whether codes by mail are offered to an account. They are weaker than any other factor of it, so there they take an
 * address that is proven and an owner who has switched them on. A mailbox that has just set the password gets none: one
 * mailbox must not give both factors.
 *
 * @param enrolled whether the account has a factor. Without one, a code enrols the mailbox and proves the address.
 */
export function isOffered(
  { sendCode }: Pick<FactorsRoom, 'sendCode'>,
  { email, emailVerified }: Account,
  { active, passwordByMail }: Facts<MailedCodeFact>,
  enrolled: boolean,
): boolean {
  if (sendCode === null || email === null || passwordByMail) return false
  return enrolled ? active && emailVerified : true
}

/**
 * Mails six digits, bound to the challenge that asked for them.
 *
 * @returns where it went, and whole seconds.
 * @throws {AppError} email_unavailable, enrolment_code_required, rate_limited, email_delivery_failed
 */
export async function sendCode(
  room: FactorsRoom,
  { account: { id }, challenge }: { account: Pick<Account, 'id'>; challenge: Challenge },
  caller: Caller,
) {
  const { accounts, allowance, clock, db, factors, keyedHash, sendCode: sendLetter, trail } = room
  if (!sendLetter) throw emailUnavailable()
  const code = newNumericCode()
  const { account, email, codeHash } = await inTransaction(db, async (trx) => {
    const account = await accounts.present(trx, id)
    const { email } = account
    const known = await factors.of(trx, account)
    const facts = known.facts(factors.named('email'))
    if (email === null || !isOffered(room, account, facts as Facts<MailedCodeFact>, known.enrolled))
      throw emailUnavailable()
    if (!known.enrolled && known.owesEnrolmentCode) throw enrolmentCodeRequired()
    const codeHash = hashCode(keyedHash, challenge.id, email, code)
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
    await trail.record(trx, 'code_sent', { account, method: 'email' }, caller)
    return { account, email, codeHash }
  })
  try {
    // Anybody can name any address with an account, so nothing that they chose is mailed there before it is proven.
    const username = account.emailVerified ? account.username : null
    const about = { username, at: clock.now(), ip: caller.ip }
    await sendLetter(email, signInCode({ ...about, code, minutes: CODE_TTL_SECONDS / 60 }))
  } catch (error) {
    if (mayArrive(error)) throw emailDeliveryFailed(error, COOL_DOWN_SECONDS)
    await inTransaction(db, async (trx) => {
      await accounts.lock(trx, account.id)
      await takeBackEmailCode(trx, challenge.id, codeHash)
      await allowance.giveBack(trx, account, email, error)
    })
    throw emailDeliveryFailed(error)
  }
  return { sentTo: maskAddress(email), expiresIn: CODE_TTL_SECONDS, resendAfter: COOL_DOWN_SECONDS }
}
