import { randomBytes, randomUUID } from 'node:crypto'
import { sql } from 'kysely'
import type { Answer, Service } from '../service/service.ts'
import type { Needles } from './needles.ts'
import { Person } from './person.ts'
import { decodeBase32, totp } from './totp.ts'

export const newPassword = () => `planted ${randomUUID()}`
export const newToken = () => `planted${randomBytes(24).toString('base64url')}`

/** Signs up and in with every kind of secret, and notes each. */
export async function liveALife(service: Service, needles: Needles): Promise<Answer[]> {
  const password = needles.add('password', newPassword())
  const answers: Answer[] = []
  const post = async (...call: Parameters<Service['post']>) => {
    const answer = await service.post(...call)
    answers.push(answer)
    for (const name of ['mfa_token', 'access_token', 'account_token', 'refresh_token'] as const)
      if (answer.body?.[name]) needles.add(name, answer.body[name])
    for (const name of ['secret', 'otpauth_uri'] as const)
      if (answer.body?.[name]) needles.add(name, answer.body[name])
    for (const name of ['mfa_token', 'access_token', 'account_token'] as const)
      if (answer.body?.[name]) needles.add(`signature of ${name}`, answer.body[name].split('.')[2])
    return answer
  }
  const ada = new Person(service, { password, email: 'ada@example.com', post })
  await ada.register()
  await post('/2fa/setup', undefined, ada.mfaToken, { headers: { accept: 'text/plain' } })
  await ada.setUp()
  needles.add('raw TOTP secret', decodeBase32(ada.secret))
  const codeNow = () => needles.addCode('code', ada.code())

  await ada.verify(codeNow())
  const { refreshToken: first, recoveryCodes } = ada
  for (const code of recoveryCodes) {
    needles.add('recovery code', code)
    needles.add('recovery code without dashes', code.replaceAll('-', ''))
  }
  const signIn = async (code: string, method?: string) => {
    await ada.logIn()
    await ada.verify(code, method)
  }
  await signIn(recoveryCodes[0] as string, 'recovery_code')
  await signIn(recoveryCodes[0] as string, 'recovery_code')
  service.clock.advance(30)
  await signIn(codeNow())
  await signIn(codeNow())
  service.clock.advance(30)
  const steppedUp = await post('/2fa/step-up', { code: codeNow(), password }, ada.accessToken)
  await ada.refresh(first)
  await ada.refresh()
  service.clock.advance(60)
  await ada.refresh(first)
  const next = needles.add('new password', newPassword())
  const passwords = { current_password: password, new_password: next }
  await post('/password/change', passwords, steppedUp.body.account_token)
  return answers
}

/** Puts a password, a code and tokens where they do not belong, as people and clients do by mistake. */
export async function makeMistakes(service: Service, needles: Needles): Promise<Answer[]> {
  const password = needles.add('misplaced password', newPassword())
  const token = needles.add('misplaced token', newToken())
  const basic = needles.add('basic credentials', Buffer.from(`ada:${password}`).toString('base64'))
  const code = needles.addCode('misplaced code', '739182')
  const whole = JSON.stringify({ username: 'ada', password, code, token })
  const send = (url: string, payload: string, headers: Record<string, string> = {}, bearer?: string) =>
    service.post(url, undefined, bearer, {
      payload,
      headers: { 'content-type': 'application/json', ...headers },
    })

  const answers: Answer[] = []
  for (const url of ['/login', '/register', '/2fa/verify', '/2fa/setup', '/nowhere', `/nowhere/${token}`])
    answers.push(
      await send(url, whole),
      await send(url, whole, {}, token),
      await send(url, whole.slice(0, -1)),
      await send(url, `"${password}"`),
      await send(url, `${whole}${whole}`),
      await send(url, whole.padEnd(20_000)),
      await send(url, `username=ada&password=${password}`, { 'content-type': 'text/plain' }),
      await send(url, whole, { 'content-type': `application/json; password="${password}"` }),
      await send(url, whole, { 'content-type': token }),
      await send(`${url}?password=${encodeURIComponent(password)}&token=${token}&code=${code}`, whole),
    )
  answers.push(
    await service.post('/login', { username: password, password: 'x' }),
    await service.post('/login', { username: 'ada', password }),
    await service.post('/register', { username: password, password: token }),
    await service.post('/register', { username: 'ada', password, email: `${token}@` }),
    await service.get(`/%zz${token}`),
    await service.get(`/docs/${token}`),
    await service.get(`/me?access_token=${token}`, token),
  )
  for (const [name, value] of [
    ['authorization', `Basic ${basic}`],
    ['authorization', `Bearer ${token}`],
    ['authorization', token],
    ['proxy-authorization', `Bearer ${token}`],
    ['cookie', `session=${token}`],
    ['referer', `https://app.example.com/?token=${token}`],
    ['origin', `https://${token}.example.com`],
    ['accept', `image/${token}`],
    ['x-api-key', token],
    ['x-request-id', token],
    ['x-forwarded-for', token],
    ['x-forwarded-host', token],
    ['host', `${token}.example.com`],
  ] as const)
    answers.push(
      await service.get('/me', undefined, { headers: { [name]: value } }),
      await service.post('/2fa/setup', undefined, undefined, { headers: { [name]: value } }),
    )
  return answers
}

/** Breaks the database under a sign-in in several places. */
export async function breakThings(service: Service, needles: Needles): Promise<Answer[]> {
  const password = needles.add('password during a fault', newPassword())
  const registered = await service.post('/register', { username: 'grace', password })
  const token = needles.add('mfa token during a fault', registered.body.mfa_token)
  const setup = await service.post('/2fa/setup', undefined, token)
  const { secret } = setup.body
  needles.add('TOTP secret during a fault', secret)
  const code = needles.addCode('code during a fault', totp(secret, service.clock.now()))

  const answers: Answer[] = []
  for (const table of ['sessions', 'challenges', 'recovery_codes', 'failure_counters', 'totp_factors']) {
    await sql`alter table ${sql.table(table)} rename to away`.execute(service.db)
    answers.push(
      await service.post('/2fa/verify', { code }, token),
      await service.post('/2fa/setup', undefined, token),
      await service.post('/login', { username: 'grace', password }),
    )
    await sql`alter table away rename to ${sql.table(table)}`.execute(service.db)
  }
  await service.db.updateTable('totp_factors').set({ sealed_secret: 'broken' }).execute()
  answers.push(await service.post('/2fa/verify', { code }, token))
  await service.db.updateTable('accounts').set({ password_hash: 'broken' }).execute()
  answers.push(await service.post('/login', { username: 'grace', password }))
  return answers
}
