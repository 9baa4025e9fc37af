import t from 'tap'
import { type SignedIn, signedInBy } from '../helpers/people/sessions.ts'
import { totp } from '../helpers/people/totp.ts'
import { PASSWORD, register, type Service, startService } from '../helpers/service/service.ts'

/**
 * Somebody has guessed a password while it was the only factor, and holds a session. The second factor comes
 * later: the service asks everybody for one, or the owner sets one up. That session must not live on beside it.
 */

const OPTIONAL = { MFA_POLICY: 'optional' }

async function signIn(service: Service): Promise<SignedIn> {
  return signedInBy(await service.post('/login', { username: 'ada', password: PASSWORD }))
}

t.test('a session of the password alone ends where a second factor is required from now on', async (t) => {
  const before = await startService(t, { environment: OPTIONAL })
  await register(before)
  const { accessToken, accountToken, refreshToken } = await signIn(before)
  t.equal((await before.get('/me', accessToken)).status, 200)
  await before.close()

  const { clock, databaseUrl } = before
  const service = await startService(t, { clock, databaseUrl })
  t.equal((await service.get('/me', accessToken)).status, 401)
  const refreshed = await service.post('/token/refresh', { refresh_token: refreshToken })
  t.strictSame([refreshed.status, refreshed.body.code], [401, 'invalid_refresh_token'])
  t.equal((await service.post('/2fa/setup', undefined, accountToken)).status, 401)
})

t.test('a session of the password alone ends when the mfa token enrols an authenticator', async (t) => {
  // An mfa token of an account without a factor is from where one was required.
  const before = await startService(t)
  const { mfaToken } = await register(before)
  await before.close()
  const { clock, databaseUrl } = before
  const service = await startService(t, { clock, databaseUrl, environment: OPTIONAL })
  const { accessToken, refreshToken } = await signIn(service)

  const { secret } = (await service.post('/2fa/setup', undefined, mfaToken)).body
  const code = totp(secret, service.clock.now())
  const verified = await service.post('/2fa/verify', { code }, mfaToken)
  t.equal(verified.status, 200)
  t.equal((await service.get('/me', verified.body.access_token)).status, 200)
  t.equal((await service.get('/me', accessToken)).status, 401)
  t.equal((await service.post('/token/refresh', { refresh_token: refreshToken })).status, 401)
})

t.test(
  'every session of the password alone ends when an account token enrols an authenticator',
  async (t) => {
    const service = await startService(t, { environment: OPTIONAL })
    await register(service)
    const [theirs, own] = [await signIn(service), await signIn(service)]

    const { secret } = (await service.post('/2fa/setup', undefined, own.accountToken)).body
    const code = totp(secret, service.clock.now())
    const confirmed = await service.post('/2fa/setup/confirm', { code }, own.accountToken)
    t.equal((await service.get('/me', confirmed.body.access_token)).status, 200)
    for (const { accessToken, accountToken, refreshToken } of [theirs, own]) {
      t.equal((await service.get('/me', accessToken)).status, 401)
      t.equal((await service.post('/2fa/setup', undefined, accountToken)).status, 401)
      t.equal((await service.post('/token/refresh', { refresh_token: refreshToken })).status, 401)
    }
  },
)
