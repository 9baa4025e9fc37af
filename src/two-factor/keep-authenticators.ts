import type { SecretBox } from '../crypto/secret-box.ts'
import type { Clock } from '../platform/clock.ts'
import type { Trx } from '../platform/database.ts'
import { newId } from '../platform/ids.ts'
import { totpSecretContext } from './setup.ts'
import { insertActiveTotpFactors } from './store.ts'
import { NO_STEP } from './totp.ts'

/** Gives new accounts the authenticators that their owners use already: no code has to confirm them. */
export type KeepAuthenticators = (
  trx: Trx,
  accounts: readonly { id: string; totpSecret: Buffer | null }[],
) => Promise<void>

export function makeKeepAuthenticators({ clock, box }: { clock: Clock; box: SecretBox }): KeepAuthenticators {
  return async (trx, accounts) => {
    const now = clock.now()
    const factors = accounts.flatMap(({ id: accountId, totpSecret }) => {
      if (!totpSecret) return []
      const id = newId(clock)
      const sealedSecret = box.seal(totpSecret, totpSecretContext(accountId, id))
      return [{ id, accountId, sealedSecret, lastUsedStep: NO_STEP, createdAt: now, confirmedAt: now }]
    })
    if (factors.length > 0) await insertActiveTotpFactors(trx, factors)
  }
}
