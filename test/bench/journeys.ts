import { randomUUID } from 'node:crypto'
import { totp } from '../helpers/people/totp.ts'
import type { Remote } from '../helpers/programs/remote.ts'
import { type Answer, PASSWORD } from '../helpers/service/service.ts'

const STEP_MS = 30_000

/** Who has joined and may log in once. */
export interface Person {
  username: string
  secret: string
  /** The last time step whose code was used. */
  step: number
}

/** Register, set up, verify: one hash. */
export async function join(service: Remote): Promise<Person> {
  const username = `b-${randomUUID()}`
  const registered = await ok(service.post('/register', { username, password: PASSWORD }))
  const { secret } = await ok(service.post('/2fa/setup', undefined, registered.mfa_token))
  const now = Date.now()
  await ok(service.post('/2fa/verify', { code: totp(secret, now) }, registered.mfa_token))
  return { username, secret, step: Math.floor(now / STEP_MS) }
}

/** Log in, verify, refresh, read: one hash. */
export async function logIn(service: Remote, { username, secret, step }: Person): Promise<void> {
  const { mfa_token } = await ok(service.post('/login', { username, password: PASSWORD }))
  const next = Math.max(Math.floor(Date.now() / STEP_MS), step + 1)
  const { refresh_token } = await ok(
    service.post('/2fa/verify', { code: totp(secret, next * STEP_MS) }, mfa_token),
  )
  const { access_token } = await ok(service.post('/token/refresh', { refresh_token }))
  await ok(service.get('/me', access_token))
}

async function ok(answer: Promise<Answer>): Promise<Answer['body']> {
  const { status, text, body } = await answer
  if (status >= 300) throw new Error(`answered ${status}: ${text}`)
  return body
}
