// The attack: two requests at the same moment have both read that a code is unused before either has used it. SQLite
// lets one transaction write at a time, so that this cannot be seen from outside; other databases do not. The write
// alone must decide: each is done twice here, as by two who have read the same.
import t, { type Test } from 'tap'
import type { Account } from '../../src/accounts/account.ts'
import { insertPasswordReset, usePasswordReset } from '../../src/accounts/password-reset-store.ts'
import { consumed, countedAnswer } from '../../src/challenges/store.ts'
import { putEmailCode, useEmailCode } from '../../src/factors/mailed-codes/store.ts'
import { listPasskeys, type Passkey, spendChallenge, usePasskey } from '../../src/factors/passkeys/store.ts'
import { redeemRecoveryCode } from '../../src/factors/recovery-codes/store.ts'
import { spendStep } from '../../src/factors/totp/code.ts'
import {
  activateTotpFactor,
  findTotpFactors,
  spendTimeStep,
  type TotpFactor,
} from '../../src/factors/totp/store.ts'
import { inTransaction, type Trx } from '../../src/platform/database.ts'
import { rotated } from '../../src/tokens/refresh-token-store.ts'
import { endSession } from '../../src/tokens/store.ts'
import { enrolPasskey, newPasskey } from '../helpers/people/passkeys.ts'
import { claimsOf } from '../helpers/people/sessions.ts'
import { RULE_NAMES } from '../helpers/service/invariants.ts'
import { enrol, login, startService } from '../helpers/service/service.ts'

// What happens behind the back of the service is nothing that it can know of.
const service = await startService(t, { spared: RULE_NAMES })
const { db } = service
const ada = await enrol(service)
const now = service.clock.now()
async function onlyOnce(t: Test, use: (trx: Trx) => Promise<unknown>): Promise<void> {
  t.ok(await inTransaction(db, use), 'the first one has it')
  t.notOk(await inTransaction(db, use), 'the second one has not')
}

t.test('a time step is spent by one write, and with it those before', async (t) => {
  const known = (await findTotpFactors(db, ada.id, now)).active[0] as TotpFactor
  const spend = (step: number) => (trx: Trx) => spendTimeStep(trx, known, spendStep(known, step, now), now)
  await onlyOnce(t, spend(known.lastUsedStep + 2))
  t.notOk(await inTransaction(db, spend(known.lastUsedStep + 1)))
})

t.test('a pending authenticator is made the active one by one write', async (t) => {
  await service.post('/2fa/setup', undefined, ada.accountToken)
  const pending = (await findTotpFactors(db, ada.id, now)).pending[0] as TotpFactor
  await onlyOnce(t, (trx) => activateTotpFactor(trx, pending, 1, now))
})

t.test('a challenge that a passkey has signed is spent by one write', (t) =>
  onlyOnce(t, (trx) => spendChallenge(trx, { challenge: 'a challenge', accountId: ada.id, expiresAt: now })),
)

t.test('the counter of a passkey goes up by one write', async (t) => {
  const { id } = await enrolPasskey(service, 'grace', newPasskey({ counter: 1 }))
  const known = (await listPasskeys(db, id))[0] as Passkey
  await onlyOnce(t, (trx) => usePasskey(trx, { ...known, signCount: 2 }, now))
})

t.test('an account token is used by one write', async (t) => {
  const account = (await service.deps.accounts.byId(ada.id)) as Account
  await onlyOnce(t, (trx) => service.deps.accounts.countChange(trx, account))
})

t.test('a recovery code is used by one write', async (t) => {
  const { code_hash } = await db.selectFrom('recovery_codes').select('code_hash').executeTakeFirstOrThrow()
  await onlyOnce(t, (trx) => redeemRecoveryCode(trx, ada.id, code_hash, now))
})

t.test('a challenge is consumed by one write, and none has a sixth try', async (t) => {
  const which = { id: claimsOf(await login(service)).jti, now, maxAttempts: 5 }
  const tryOnce = () => inTransaction(db, (trx) => countedAnswer.first(trx, which))
  for (const count of [1, 2, 3, 4, 5]) t.equal((await tryOnce())?.wrong_codes, count)
  t.equal(await tryOnce(), undefined)
  t.notOk(await inTransaction(db, (trx) => consumed.wroteOne(trx, which)), 'nor is it consumed after five')
  const other = { ...which, id: claimsOf(await login(service)).jti }
  await onlyOnce(t, (trx) => consumed.wroteOne(trx, other))
})

t.test('a mailed code is used by one write', async (t) => {
  const challengeId = claimsOf(await login(service)).jti
  const code = { challengeId, accountId: ada.id, codeHash: 'a hash', sentAt: now, expiresAt: now + 1 }
  await inTransaction(db, (trx) => putEmailCode(trx, code))
  await onlyOnce(t, (trx) => useEmailCode(trx, challengeId, 'a hash', now))
})

t.test('a reset token is used by one write', async (t) => {
  const reset = { tokenHash: 'a hash', accountId: ada.id, createdAt: now, expiresAt: now + 1 }
  await inTransaction(db, (trx) => insertPasswordReset(trx, reset))
  await onlyOnce(t, (trx) => usePasswordReset(trx, 'a hash', now))
})

t.test('a refresh token is swapped, and a session ended, by one write', async (t) => {
  const { token_hash } = await db.selectFrom('refresh_tokens').select('token_hash').executeTakeFirstOrThrow()
  await onlyOnce(t, (trx) =>
    rotated.first(trx, { tokenHash: token_hash, idempotencyKeyHash: null, now, keptUntil: now + 1 }),
  )
  await onlyOnce(t, (trx) => endSession(trx, claimsOf(ada.accessToken).sid, ada.id, now))
})
