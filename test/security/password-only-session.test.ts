import t from 'tap'
import { PASSWORD, register, type Service, startService } from '../helpers/service.ts'
import { totp } from '../helpers/totp.ts'

/**
 * Somebody has guessed a password while it was the only factor, and holds a session. The second factor comes
 * later: the service asks everybody for one, or the owner sets one up. That session must not live on beside it.
 */

const OPTIONAL = { MFA_POLICY: 'optional' }

async function signIn(service: Service): Promise<{ accessToken: string; refreshToken: string }> {
  const { body } = await service.post('/login', { username: 'ada', password: PASSWORD })
  return { accessToken: body.access_token, refreshToken: body.refresh_token }
}

t.test('a session of the password alone ends where a second factor is required from now on', async (t) => {
  const before = await startService(t, { environment: OPTIONAL })
  await register(before)
  const { accessToken, refreshToken } = await signIn(before)
  t.equal((await before.get('/me', accessToken)).status, 200)
  await before.close()

  const { clock, databaseUrl } = before
  const service = await startService(t, { clock, databaseUrl })
  t.equal((await service.get('/me', accessToken)).status, 401)
  const refreshed = await service.post('/token/refresh', { refresh_token: refreshToken })
  t.strictSame([refreshed.status, refreshed.body.code], [401, 'invalid_refresh_token'])
  t.equal((await service.post('/2fa/setup', undefined, accessToken)).status, 401)
})

t.test('a session of the password alone ends when the mfa token enrols an authenticator', async (t) => {
  const service = await startService(t, { environment: OPTIONAL })
  const { mfaToken } = await register(service)
  const { accessToken, refreshToken } = await signIn(service)

  const { secret } = (await service.post('/2fa/setup', undefined, mfaToken)).body
  const code = totp(secret, service.clock.now())
  const verified = await service.post('/2fa/verify', { code }, mfaToken)
  t.equal(verified.status, 200)
  t.equal((await service.get('/me', verified.body.access_token)).status, 200)
  t.equal((await service.get('/me', accessToken)).status, 401)
  t.equal((await service.post('/token/refresh', { refresh_token: refreshToken })).status, 401)
})
