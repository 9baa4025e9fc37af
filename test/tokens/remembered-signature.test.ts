import t from 'tap'
import { revokeSigningKey } from '../../src/tokens/revoke-key.ts'
import { deleteAccount, disableAccount, isAlive } from '../helpers/people/sessions.ts'
import { enrol, type Service, startService } from '../helpers/service/service.ts'

/**
 * The signature of an access token is checked once and then remembered. A token that was good a moment ago must be
 * refused all the same when something else about it is not true any more, and one that only resembles it at once.
 */

/** What ends an account's token, and how the token looks then. */
const ENDS: Record<string, (service: Service, id: string, token: string) => Promise<unknown>> = {
  'it has expired': async ({ clock }) => clock.advance(601),
  'its session was ended': (service, _id, token) => service.post('/logout', undefined, token),
  'its account was disabled': (service, id) => disableAccount(service, id),
  'its account was deleted': deleteAccount,
  'its key was revoked': async ({ deps }) => {
    const { alg, kid } = deps.signingKeys.current()
    await revokeSigningKey({ ...deps, alg }, kid)
    await deps.signingKeys.maintain()
  },
  'its key is gone': async ({ db, deps, clock }) => {
    await db.updateTable('sessions').set({ idle_expires_at: Number.MAX_SAFE_INTEGER }).execute()
    await db.deleteFrom('signing_keys').execute()
    clock.advance(2)
    // As every process does every few seconds: it makes a new key, since there is none.
    await deps.signingKeys.maintain()
  },
}

for (const [name, end] of Object.entries(ENDS))
  t.test(`a remembered token is refused when ${name}`, async (t) => {
    const service = await startService(t, { environment: { ACCESS_TOKEN_TTL: '600' } })
    const { id, accessToken } = await enrol(service)
    const { accessToken: other } = await enrol(service, 'grace')
    t.equal(await isAlive(service, accessToken), true)
    t.equal(await isAlive(service, accessToken), true, 'by memory')
    await end(service, id, accessToken)
    t.equal(await isAlive(service, accessToken), false)
    const asked = await service.post('/token/introspect', { token: accessToken }, other)
    if (asked.status === 200) t.strictSame(asked.body, { active: false })
    else t.equal(asked.status, 401)
  })

t.test('what resembles a remembered token has a signature of its own to show', async (t) => {
  const service = await startService(t)
  const { accessToken } = await enrol(service)
  t.equal(await isAlive(service, accessToken), true)
  const [header = '', payload = '', signature = ''] = accessToken.split('.')
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString())
  const forged = Buffer.from(JSON.stringify({ ...claims, username: 'eve' })).toString('base64url')
  const turned = `${signature.slice(0, 10)}${signature[10] === 'A' ? 'B' : 'A'}${signature.slice(11)}`
  for (const token of [
    `${header}.${forged}.${signature}`,
    `${header}.${payload}.${turned}`,
    `${header}.${payload}.`,
  ])
    t.equal(await isAlive(service, token), false)
})
