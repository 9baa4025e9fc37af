// The attack: the same code at the same moment at two processes, of which one is between its look and its write when the
// other is done. Whoever comes second is refused, because the write itself asks again and its count is looked at.
import t from 'tap'
import { justBefore } from '../helpers/faults/faults.ts'
import { enrolWithAddress, mailedToken } from '../helpers/people/mail.ts'
import { outcomeOf } from '../helpers/requests/burst.ts'
import { enrol, login, nextCode, startService } from '../helpers/service/service.ts'

/** What another process has written in between. */
const SPENT = 'update totp_factors set last_used_step = last_used_step + 1'
const REDEEMED = 'update recovery_codes set used_at = 1'

t.test('an authenticator code that another process has spent', async (t) => {
  const service = await startService(t)
  const ada = await enrol(service)
  for (const route of ['/2fa/verify', '/2fa/step-up']) {
    const code = nextCode(service, ada)
    const token = route === '/2fa/verify' ? await login(service) : ada.accessToken
    const answer = await justBefore(service, 'update "totp_factors" set "last_used_step"', SPENT, () =>
      service.post(route, { code }, token),
    )
    t.equal(outcomeOf(answer), '422 invalid_code', route)
    t.equal(outcomeOf(await service.post(route, { code }, token)), '422 invalid_code', 'it stays spent')
  }
})

t.test('a recovery code that another process has redeemed', async (t) => {
  const service = await startService(t)
  const { recoveryCodes } = await enrol(service)
  const body = { code: recoveryCodes[0], method: 'recovery_code' }
  const mfaToken = await login(service)
  const answer = await justBefore(service, 'update "recovery_codes" set "used_at"', REDEEMED, () =>
    service.post('/2fa/verify', body, mfaToken),
  )
  t.equal(outcomeOf(answer), '422 invalid_code')
})

t.test('a challenge that another process has seen answered', async (t) => {
  const service = await startService(t)
  const ada = await enrol(service)
  // A wrong code is counted, a right one consumes the challenge: neither tells which it was once that is dead.
  for (const column of ['wrong_codes', 'consumed_at']) {
    const right = nextCode(service, ada)
    const code = column === 'consumed_at' ? right : String((Number(right) + 1) % 1e6).padStart(6, '0')
    const mfaToken = await login(service)
    const answer = await justBefore(
      service,
      `update "challenges" set "${column}"`,
      'update challenges set consumed_at = 1 where consumed_at is null',
      () => service.post('/2fa/verify', { code }, mfaToken),
    )
    t.equal(outcomeOf(answer), '401 invalid_token', `before ${column} is set`)
  }
})

t.test('a reset token that another process has used', async (t) => {
  const service = await startService(t, { mail: true })
  await enrolWithAddress(service)
  const body = { token: await mailedToken(service), new_password: 'staple in a haystack' }
  const used = 'update password_resets set used_at = 1'
  const answer = await justBefore(service, 'update "password_resets" set "used_at"', used, () =>
    service.post('/password/reset', body),
  )
  t.equal(outcomeOf(answer), '401 invalid_token')
})
