import type { Account } from '../accounts/account.ts'
import type { Accounts } from '../accounts/accounts.ts'
import type { AuditTrail } from '../audit/trail.ts'
import { emailUnavailable, notEnrolled } from '../errors.ts'
import type { Trx } from '../platform/database.ts'
import { CODE_POLICY, type FailureCounters } from '../sign-in/failure-counters.ts'
import type { Amr } from '../tokens/assurance.ts'
import type { Client } from '../tokens/sessions.ts'
import type { EmailCodes } from './email-codes.ts'
import type { Factors, Method } from './factors.ts'
import { LOW_STOCK, type RecoveryCodes } from './recovery-codes.ts'
import type { TotpCodes } from './totp-codes.ts'

/** A code of some factor. */
export interface Answer {
  code: string
  method: Method
  /** The challenge that is answered, if it is one: it may enrol, and a code by mail is good for its own alone. */
  challengeId?: string
}

/** What a right code has shown; the code is spent. */
export interface Proof {
  amr: readonly Amr[]
  /** The account's first ones, when the code has given it its first factor. */
  recoveryCodes?: string[]
}

/**
 * Checks and spends codes. Each try is counted against its factor before it is evaluated; the caller commits
 * also when the code was wrong (`null`), or the count would be lost.
 */
export interface Prove {
  /**
   * A code of a factor that is in force or, in answer to a challenge, of one that this very code enrols.
   *
   * @throws {AppError} not_enrolled, email_unavailable, too_many_attempts
   */
  answer(trx: Trx, account: Account, answer: Answer, client: Client): Promise<Proof | null>
  /**
   * The confirming code of a pending authenticator, which takes the place of one that was active before.
   *
   * @throws {AppError} not_enrolled
   */
  pending(trx: Trx, account: Account, code: string, client: Client): Promise<Proof | null>
}

const AMR: Record<Method, readonly Amr[]> = {
  totp: ['pwd', 'otp', 'mfa'],
  email: ['pwd', 'email', 'mfa'],
  recovery_code: ['pwd', 'recovery', 'mfa'],
}

export function makeProve({
  accounts,
  factors,
  failureCounters,
  totpCodes,
  emailCodes,
  recoveryCodes,
  trail,
}: {
  accounts: Accounts
  factors: Factors
  failureCounters: FailureCounters
  totpCodes: TotpCodes
  emailCodes: EmailCodes
  recoveryCodes: RecoveryCodes
  trail: AuditTrail
}): Prove {
  async function redeem(trx: Trx, account: Account, { code, method, challengeId }: Answer): Promise<boolean> {
    if (method === 'recovery_code') return recoveryCodes.redeem(trx, account.id, code)
    if (method === 'email') {
      if (!emailCodes.offeredTo(account) || challengeId === undefined) throw emailUnavailable()
      return emailCodes.redeem(trx, account, challengeId, code)
    }
    const { active } = await totpCodes.factorsOf(trx, account.id)
    if (!active) throw notEnrolled()
    return totpCodes.spend(trx, active, code)
  }

  async function recordRecovery(trx: Trx, account: Account, client: Client): Promise<void> {
    const { remaining } = await recoveryCodes.stock(trx, account.id)
    const name = remaining <= LOW_STOCK ? 'recovery_codes_low' : 'recovery_code_used'
    await trail.record(trx, name, { account }, client)
  }

  /** A right code from a mailbox proves the address; for an account without a factor it becomes the factor. */
  async function acceptMailbox(
    trx: Trx,
    account: Account,
    client: Client,
    enrolled: boolean,
  ): Promise<string[] | undefined> {
    if (!(await accounts.proveMailbox(trx, account.id))) return undefined
    const proven = { ...account, emailVerified: true }
    await trail.record(trx, 'factor_enrolled', { account: proven, method: 'email' }, client)
    return enrolled ? undefined : recoveryCodes.renew(trx, account.id)
  }

  async function confirm(trx: Trx, account: Account, code: string, client: Client): Promise<Proof | null> {
    const { active, pending } = await totpCodes.factorsOf(trx, account.id)
    if (!pending) throw notEnrolled()
    if (!(await totpCodes.confirm(trx, pending, code))) {
      await trail.record(trx, 'code_rejected', { account, method: 'totp' }, client)
      return null
    }
    await failureCounters.succeed(trx, account.id, 'totp')
    await trail.record(
      trx,
      active ? 'factor_replaced' : 'factor_enrolled',
      { account, method: 'totp' },
      client,
    )
    const { remaining } = await recoveryCodes.stock(trx, account.id)
    const firstFactor = !active && remaining === 0
    return {
      amr: AMR.totp,
      ...(firstFactor && { recoveryCodes: await recoveryCodes.renew(trx, account.id) }),
    }
  }

  return {
    async answer(trx, { id }, answer, client) {
      const { method, challengeId } = answer
      // As it stands within the transaction: what the request began with may have changed since.
      const account = await accounts.present(trx, id)
      const enrolled = await factors.enrolled(trx, account)
      if (method === 'totp' && challengeId && !enrolled) return confirm(trx, account, answer.code, client)

      await failureCounters.begin(trx, account.id, method, CODE_POLICY)
      if (!(await redeem(trx, account, answer))) {
        await trail.record(trx, 'code_rejected', { account, method }, client)
        if (await failureCounters.fail(trx, account.id, method, CODE_POLICY))
          await trail.record(trx, 'attempts_paused', { account, method }, client)
        return null
      }
      await failureCounters.succeed(trx, account.id, method)
      await trail.record(trx, 'code_accepted', { account, method }, client)
      if (method === 'recovery_code') await recordRecovery(trx, account, client)
      if (method !== 'email' && account.passwordByMail) await accounts.trustMailbox(trx, account.id)
      const codes = method === 'email' ? await acceptMailbox(trx, account, client, enrolled) : undefined
      return { amr: AMR[method], ...(codes && { recoveryCodes: codes }) }
    },

    async pending(trx, { id }, code, client) {
      return confirm(trx, await accounts.present(trx, id), code, client)
    },
  }
}
