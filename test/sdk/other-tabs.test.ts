import t from 'tap'
import { createClient, type Kept, type TokenStore, unwrap } from '../../src/sdk/index.ts'
import { totp } from '../helpers/people/totp.ts'
import { startListening } from '../helpers/service/listening.ts'
import { PASSWORD } from '../helpers/service/service.ts'

/** Tabs share the tokens of a session. A step between password and second factor is of one tab alone. */

function makeTabs(): () => TokenStore {
  const shared: Pick<Kept, 'tokens' | 'ending'> = { tokens: null, ending: null }
  const listeners: (() => void)[] = []
  return () => {
    let mfaStep: Kept['mfaStep'] = null
    let mine = () => {}
    return {
      read: () => ({ ...shared, mfaStep }),
      write(next) {
        mfaStep = next.mfaStep
        Object.assign(shared, { tokens: next.tokens, ending: next.ending ?? null })
        for (const listener of listeners) if (listener !== mine) listener()
      },
      onChange(listener) {
        mine = listener
        listeners.push(listener)
      },
    }
  }
}

t.test('a step that was left in a tab does nothing once another tab has signed in', async (t) => {
  const service = await startListening(t)
  const tab = makeTabs()
  const [one, other] = [tab(), tab()].map((store) => createClient({ url: service.issuer, store }))
  if (!one || !other) throw new Error('there are two tabs')
  unwrap(await one.POST('/register', { body: { username: 'eve', password: PASSWORD } }))
  unwrap(await other.POST('/register', { body: { username: 'ada', password: PASSWORD } }))
  const { secret } = unwrap(await other.POST('/2fa/setup'))
  unwrap(await other.POST('/2fa/verify', { body: { code: totp(secret, service.clock.now()) } }))
  t.match(await one.state(), { status: 'signed_in' })
  t.equal(unwrap(await one.GET('/me')).username, 'ada')
  const { error } = await one.POST('/2fa/setup', { body: { name: 'tablet' } })
  t.equal(error?.code, 'insufficient_user_authentication', 'it was asked for the account that the tab shows')
})

t.test('a tab hears that another one has signed another person in', async (t) => {
  const tokensOf = (sub: string): Kept['tokens'] => ({
    accessToken: `x.${Buffer.from(JSON.stringify({ sub })).toString('base64url')}.x`,
    accessExpiresAt: Number.MAX_SAFE_INTEGER,
    refreshToken: sub,
  })
  let kept: Kept = { tokens: tokensOf('ada'), mfaStep: null }
  let change = () => {}
  const store: TokenStore = {
    read: () => kept,
    write: (next) => {
      kept = next
    },
    onChange: (listener) => {
      change = listener
    },
  }
  const client = createClient({ url: 'https://id.example.com', store, fetch: async () => Response.json({}) })
  const heard: string[] = []
  client.onChange(({ status }) => heard.push(status))
  change()
  await client.state()
  t.strictSame(heard, [], 'nothing has changed')
  kept = { tokens: tokensOf('grace'), mfaStep: null }
  change()
  await client.state()
  t.strictSame(heard, ['signed_in'])
})
