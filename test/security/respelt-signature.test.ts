// The attack: a token is written in another way and is still the same token. The last character of a signature in
// base64url has bits that belong to no byte, and decoders read several alphabets: a list of tokens that are refused, or
// a log that is searched for one, would miss the others.
import t from 'tap'
import { openMint, present, refused, TOKEN_ROUTES } from '../helpers/people/forge.ts'
import { isAlive } from '../helpers/people/sessions.ts'
import { enrol, type Service, startService } from '../helpers/service/service.ts'

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

/** Every other way to write the bytes of a token's signature that a lenient decoder reads as the same. */
function spellingsOf(token: string): string[] {
  const at = token.lastIndexOf('.') + 1
  const [rest, signature] = [token.slice(0, at), token.slice(at)]
  const bytes = Buffer.from(signature, 'base64url')
  const ends = [...ALPHABET].map((end) => `${signature.slice(0, -1)}${end}`)
  const others = [signature.replaceAll('-', '+').replaceAll('_', '/'), `${signature}=`, `${signature}==`]
  return [...new Set([...ends, ...others])]
    .filter((other) => other !== signature && Buffer.from(other, 'base64url').equals(bytes))
    .map((other) => `${rest}${other}`)
}

for (const JWT_ALG of ['ES256', 'EdDSA', 'RS256'])
  t.test(`the signature of an access token has one spelling (${JWT_ALG})`, async (t) => {
    const service = await startService(t, { environment: { JWT_ALG } })
    const { accessToken } = await enrol(service)
    const others = spellingsOf(accessToken)
    t.ok(others.length >= 15 + 2, 'four bits are to spare')
    t.ok(await isAlive(service, accessToken), 'and is remembered')
    for (const token of others) {
      await refused(t, service, 'another spelling', token, ['/me', '/2fa/setup'])
      t.strictSame(await introspected(service, token, accessToken), { active: false })
    }
    t.ok(await isAlive(service, accessToken))
  })

t.test('the signature of an mfa token and of an account token has one spelling', async (t) => {
  const { service, ada, mfaToken } = await openMint(t)
  for (const right of [mfaToken, ada.accountToken]) {
    const others = spellingsOf(right)
    t.ok(others.length >= 3 + 1, 'two bits are to spare')
    for (const token of others) await refused(t, service, 'another spelling', token, TOKEN_ROUTES)
    t.equal((await present(service, '/2fa/setup', `Bearer ${right}`)).status, 200)
  }
})

async function introspected(service: Service, token: string, asker: string): Promise<unknown> {
  return (await service.post('/token/introspect', { token }, asker)).body
}
