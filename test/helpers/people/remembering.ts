import { randomUUID } from 'node:crypto'
import type { Test } from 'tap'
import { outcomeOf } from '../requests/burst.ts'
import { type Answer, PASSWORD, type Reachable } from '../service/service.ts'
import { expecting, Person } from './person.ts'

/** For so long a refresh token that was just used is answered again. */
const GRACE_MS = 60_000

/** So much later an account token is still good: it lives for five minutes. */
const ACCOUNT_TOKEN_MS = 240_000

interface OwnSession {
  accessToken: string
  refreshToken: string
  /** Where the sign-in gave one; good for one change. */
  accountToken?: string | undefined
  signedInAt: number
}

interface Code {
  code: string
  method: 'totp' | 'recovery_code'
}

/** What was sent when the service died: whether it was done, nobody was told. */
type Doubt =
  | { about: 'registration' | 'logout' }
  | { about: 'refresh'; at: number }
  | { about: 'code'; code: Code }
  | { about: 'password'; next: string }

/**
 * Somebody who writes down what they were told, each answer after its last byte, and insists on it after the
 * service was killed.
 */
export class RememberingPerson {
  readonly #t: Test
  /** How many changes were acknowledged. */
  acknowledged = 0
  #username = ''
  #enrolled = false
  #password = PASSWORD
  #unused: string[] = []
  /** In this life of the service. */
  #used: Code[] = []
  #session: OwnSession | null = null
  #refreshed: { token: string; successor: string; at: number } | null = null
  #doubt: Doubt | null = null

  constructor(t: Test) {
    this.#t = t
  }

  /** Changes something or other. Throws when no answer comes. */
  async act(service: Reachable): Promise<void> {
    if (!this.#enrolled || this.#unused.length === 0) return this.#beginAnew(service)
    if (!this.#session) return this.#signIn(service)
    const acts = [this.#signIn, this.#refresh, this.#refresh, this.#changePassword, this.#logOut]
    await acts[Math.floor(Math.random() * acts.length)]?.call(this, service)
  }

  /** What was acknowledged is so, what was used is of no use, and what is in doubt is one or the other. */
  async insist(service: Reachable): Promise<void> {
    const doubt = this.#doubt
    this.#doubt = null
    if (!this.#username) return
    if (!this.#enrolled) return this.#insistOnRegistration(service, doubt)
    const changed = await this.#insistOnPassword(service, doubt)
    if (doubt?.about === 'code') {
      const answer = await this.#answer(service, doubt.code)
      this.#t.match(outcomeOf(answer), /^(200|422 invalid_code)$/, 'a code in doubt was used or was not')
      this.#used.push(doubt.code)
    }
    for (const code of this.#used.splice(0))
      this.#t.equal(outcomeOf(await this.#answer(service, code)), '422 invalid_code', 'used is used')
    if (changed) await this.#insistOnNoSession(service)
    else await this.#insistOnSession(service, doubt)
  }

  /** The account is there, with the password that was set last. */
  async signsIn(service: Reachable): Promise<void> {
    if (this.#enrolled) this.#t.equal((await this.#logIn(service)).status, 200, 'still there')
  }

  async #insistOnRegistration(service: Reachable, doubt: Doubt | null): Promise<void> {
    const { status } = await service.post('/register', { username: this.#username, password: PASSWORD })
    const possible = doubt?.about === 'registration' ? /^(201|409)$/ : /^409$/
    this.#t.match(String(status), possible, 'a registration is not lost')
    const login = await this.#logIn(service)
    this.#t.equal(login.status, 200)
    // Its codes were in an answer that never came: the code that confirmed the authenticator is spent.
    if (doubt?.about === 'code' && login.body.enrolled)
      this.#t.equal(outcomeOf(await this.#answer(service, doubt.code)), '422 invalid_code', 'spent')
  }

  /** @returns whether a change that was in doubt was made. */
  async #insistOnPassword(service: Reachable, doubt: Doubt | null): Promise<boolean> {
    const candidates = [this.#password, ...(doubt?.about === 'password' ? [doubt.next] : [])]
    const right: string[] = []
    for (const password of candidates)
      if ((await this.#logIn(service, password)).status === 200) right.push(password)
    this.#t.equal(right.length, 1, 'one password is right, and it is the last one')
    const before = this.#password
    this.#password = right[0] ?? before
    return this.#password !== before
  }

  /** The session went with the old password, and no one was told the tokens of the next one. */
  async #insistOnNoSession(service: Reachable): Promise<void> {
    const { status } = await service.post('/token/refresh', { refresh_token: this.#session?.refreshToken })
    this.#t.equal(status, 401, 'a new password ends the session')
    this.#session = null
    this.#refreshed = null
  }

  async #insistOnSession(service: Reachable, doubt: Doubt | null): Promise<void> {
    const refreshed = this.#refreshed
    this.#refreshed = null
    if (!this.#session) return
    // A refresh that the kill has hidden may have used the successor, and then a repeat of the one before ends the session.
    if (refreshed && doubt?.about !== 'logout' && doubt?.about !== 'refresh') {
      const { status, body } = await service.post('/token/refresh', { refresh_token: refreshed.token })
      const told = status === 200 ? body.refresh_token : 'a token of long ago, which ends its session'
      if (Date.now() < refreshed.at + GRACE_MS) this.#t.equal(told, refreshed.successor, 'the same successor')
      if (status !== 200) {
        this.#session = null
        return
      }
    }
    const { status, body } = await service.post('/token/refresh', {
      refresh_token: this.#session.refreshToken,
    })
    const mayHaveEnded =
      doubt?.about === 'logout' || (doubt?.about === 'refresh' && Date.now() > doubt.at + GRACE_MS)
    // Ten refreshes in this minute are enough; the token is as good as before.
    if (status === 429) return
    this.#t.match(String(status), mayHaveEnded ? /^(200|401)$/ : /^200$/, 'a session goes on')
    this.#session = status === 200 ? this.#goingOn(body) : null
  }

  async #beginAnew(service: Reachable): Promise<void> {
    this.#username = `ada-${randomUUID()}`
    this.#password = PASSWORD
    this.#enrolled = false
    this.#session = null
    this.#refreshed = null
    this.#used = []
    const person = this.#calling(service)
    await this.#sending({ about: 'registration' }, () => expecting(201, person.register()))
    await expecting(200, person.setUp())
    const code: Code = { code: person.code(), method: 'totp' }
    const confirmed = await this.#sending({ about: 'code', code }, () => person.verify(code.code))
    this.#t.equal(confirmed.status, 200)
    this.#used.push(code)
    this.#enrolled = true
    this.#unused = person.recoveryCodes
    this.#session = sessionOf(confirmed.body)
  }

  async #signIn(service: Reachable): Promise<void> {
    const code: Code = { code: this.#unused[0] ?? '', method: 'recovery_code' }
    const person = this.#calling(service)
    await person.logIn()
    // From now on it is not to be relied on, whatever happens.
    this.#unused.shift()
    const answer = await this.#sending({ about: 'code', code }, () => person.verify(code.code, code.method))
    this.#t.equal(answer.status, 200)
    this.#used.push(code)
    this.#refreshed = null
    this.#session = sessionOf(answer.body)
  }

  async #refresh(service: Reachable): Promise<void> {
    const token = this.#session?.refreshToken ?? ''
    const at = Date.now()
    const { status, body } = await this.#sending({ about: 'refresh', at }, () =>
      service.post('/token/refresh', { refresh_token: token }),
    )
    if (status === 429) return
    this.#t.equal(status, 200)
    this.#session = this.#goingOn(body)
    this.#refreshed = { token, successor: body.refresh_token, at }
  }

  async #changePassword(service: Reachable): Promise<void> {
    const { accountToken, signedInAt = 0 } = this.#session ?? {}
    if (!accountToken || Date.now() > signedInAt + ACCOUNT_TOKEN_MS) return this.#signIn(service)
    const next = `staple in a haystack ${randomUUID()}`
    const body = { current_password: this.#password, new_password: next }
    const { refreshToken } = this.#session as OwnSession
    const answer = await this.#sending({ about: 'password', next }, () =>
      service.post('/password/change', body, accountToken),
    )
    this.#t.equal(outcomeOf(answer), '200')
    this.#password = next
    this.#refreshed = null
    this.#session = sessionOf(answer.body)
    const after = await service.post('/token/refresh', { refresh_token: refreshToken })
    this.#t.equal(after.status, 401, 'the session before has ended')
  }

  async #logOut(service: Reachable): Promise<void> {
    const { accessToken, refreshToken } = this.#session ?? { accessToken: '', refreshToken: '' }
    const { status } = await this.#sending({ about: 'logout' }, () =>
      service.post('/logout', undefined, accessToken),
    )
    this.#t.equal(status, 204)
    this.#session = null
    this.#refreshed = null
    const after = await service.post('/token/refresh', { refresh_token: refreshToken })
    this.#t.equal(after.status, 401)
  }

  /** After a refresh. What the sign-in gave is as good as before. */
  #goingOn({ access_token, refresh_token }: Answer['body']): OwnSession {
    const before = this.#session as OwnSession
    return { ...before, accessToken: access_token, refreshToken: refresh_token }
  }

  #calling(service: Reachable): Person {
    return new Person(service, { username: this.#username, password: this.#password })
  }

  #logIn(service: Reachable, password = this.#password): Promise<Answer> {
    return this.#calling(service).logIn(password)
  }

  async #answer(service: Reachable, { code, method }: Code): Promise<Answer> {
    const person = this.#calling(service)
    await person.logIn()
    return person.verify(code, method)
  }

  /** In doubt until the answer is there. */
  async #sending<T>(doubt: Doubt, send: () => Promise<T>): Promise<T> {
    this.#doubt = doubt
    const answer = await send()
    this.#doubt = null
    this.acknowledged += 1
    return answer
  }
}

function sessionOf({ access_token, refresh_token, account_token }: Answer['body']): OwnSession {
  return {
    accessToken: access_token,
    refreshToken: refresh_token,
    accountToken: account_token,
    signedInAt: Date.now(),
  }
}
