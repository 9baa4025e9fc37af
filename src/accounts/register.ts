import { registrationClosed } from '../errors.ts'
import type { Challenge, Challenges } from '../sign-in/challenges.ts'
import type { Client } from '../tokens/sessions.ts'
import type { Factors, Method } from '../two-factor/factors.ts'
import type { Account } from './account.ts'
import type { CreateAccount } from './create-account.ts'

export interface Registration {
  username: string
  password: string
  email?: string
}

/**
 * Makes an account and, since its password has just been given, the challenge for its second factor.
 *
 * @throws {AppError} registration_closed, username_taken, password_rejected, overloaded
 */
export type Register = (
  registration: Registration,
  client: Client,
) => Promise<{ account: Account; challenge: Challenge; methods: Method[] }>

export function makeRegister({
  open,
  createAccount,
  challenges,
  factors,
}: {
  /** Whether strangers may make accounts. */
  open: boolean
  createAccount: CreateAccount
  challenges: Challenges
  factors: Factors
}): Register {
  return async (registration, client) => {
    if (!open) throw registrationClosed()
    return createAccount(registration, client, async (trx, account) => {
      // Asked here, too: an account that was made must not be answered with an error.
      const { methods } = await factors.of(trx, account)
      return { account, challenge: await challenges.open(trx, account), methods }
    })
  }
}
