import { type Answer, PASSWORD, type Reachable } from '../service/service.ts'
import { totp } from './totp.ts'

/** Who signs up, and how. */
export interface PersonOptions {
  username?: string
  password?: string
  /** The address given at registration. */
  email?: string
  /** Sends each request in place of the service itself: to note what passes, or to send it twice. */
  post?: Reachable['post']
}

/**
 * A person who uses the service as people do, and keeps what they are told: each call is one request, and whatever a
 * good answer hands out stands in the members below. What is not good changes nothing here; the caller looks at it.
 */
export class Person {
  username: string
  password: string
  readonly email: string | undefined
  id = ''
  mfaToken = ''
  accessToken = ''
  accountToken = ''
  refreshToken = ''
  /** Of the authenticator that was set up last, in base32. */
  secret = ''
  recoveryCodes: string[] = []
  readonly #service: Reachable
  readonly #post: Reachable['post']

  constructor(service: Reachable, options: PersonOptions = {}) {
    const { username = 'ada', password = PASSWORD, email, post = service.post } = options
    this.username = username
    this.password = password
    this.email = email
    this.#service = service
    this.#post = post
  }

  async register(): Promise<Answer> {
    const { username, password, email } = this
    const answer = await this.#post('/register', { username, password, ...(email && { email }) })
    if (answer.status === 201) this.id = answer.body.user.id
    return this.#keep(answer)
  }

  /** Sets up an authenticator, which counts when a code of it was sent. */
  async setUp(body?: { enrolment_code: string } | { replaces: string }): Promise<Answer> {
    return this.#keep(await this.#post('/2fa/setup', body, this.mfaToken || this.accountToken))
  }

  /** The code that makes it count: at the sign-in, or in the session where no second factor is asked for. */
  async confirm(code = this.code()): Promise<Answer> {
    if (this.mfaToken) return this.verify(code)
    const answer = await this.#post('/2fa/setup/confirm', { code }, this.accountToken)
    if (answer.status === 200) this.accountToken = ''
    return this.#keep(answer)
  }

  async logIn(password = this.password, recoveryCode?: string): Promise<Answer> {
    const { username } = this
    const code = recoveryCode && { recovery_code: recoveryCode }
    return this.#keep(await this.#post('/login', { username, password, ...code }))
  }

  /** Answers the challenge of the last registration or login. */
  async verify(code = this.code(), method?: string): Promise<Answer> {
    return this.#keep(await this.#post('/2fa/verify', { code, ...(method && { method }) }, this.mfaToken))
  }

  /** Shows a factor, or the password, in the session. */
  async stepUp(answer: object): Promise<Answer> {
    return this.#keep(await this.#post('/2fa/step-up', answer, this.accessToken))
  }

  async refresh(refreshToken = this.refreshToken): Promise<Answer> {
    return this.#keep(await this.#post('/token/refresh', { refresh_token: refreshToken }))
  }

  /** What the authenticator shows now or so many time steps later. */
  code(steps = 0): string {
    return totp(this.secret, this.#service.clock.now() + steps * 30_000)
  }

  #keep(answer: Answer): Answer {
    if (answer.status >= 300) return answer
    const { mfa_token, access_token, account_token, refresh_token, secret, recovery_codes } =
      answer.body ?? {}
    if (mfa_token) this.mfaToken = mfa_token
    if (access_token) this.accessToken = access_token
    if (account_token) this.accountToken = account_token
    if (refresh_token) this.refreshToken = refresh_token
    if (secret) this.secret = secret
    if (recovery_codes) this.recoveryCodes = recovery_codes
    return answer
  }
}

/** @throws {Error} when the answer has another status. */
export async function expecting(status: number, answer: Promise<Answer>): Promise<Answer> {
  const { status: actual, text } = await answer
  if (actual !== status) throw new Error(`answered ${actual} for ${status}: ${text}`)
  return answer
}
