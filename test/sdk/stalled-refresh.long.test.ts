import t from 'tap'
import { createClient, type Kept } from '../../src/sdk/index.ts'

/** The answer to a refresh begins and does not go on: the client gives it up after fifteen seconds. */

function makeClient(body: () => string | ReadableStream) {
  let kept: Kept = { tokens: { accessToken: 'old', accessExpiresAt: 0, refreshToken: 'r' }, mfaStep: null }
  return createClient({
    url: 'https://id.example.com',
    store: {
      read: () => kept,
      write: (next) => {
        kept = next
      },
    },
    fetch: async () => new Response(body(), { headers: { 'content-type': 'application/json' } }),
  })
}

t.test('a refresh whose answer breaks off is a problem', async (t) => {
  const broken = () =>
    new ReadableStream({ start: (controller) => controller.error(new TypeError('terminated')) })
  await t.rejects(makeClient(broken).accessToken(), { code: 'unavailable' })
})

t.test('one whose answer stalls is one too, and those who wait for their turn go on', async (t) => {
  const stalled = () =>
    new ReadableStream({ start: (controller) => controller.enqueue(new TextEncoder().encode('{"acc')) })
  const held = t.rejects(makeClient(stalled).accessToken(), { code: 'unavailable' })
  const fresh = JSON.stringify({ access_token: 'new', expires_in: 600, refresh_token: 'r2' })
  t.equal(await makeClient(() => fresh).accessToken(), 'new')
  await held
})
