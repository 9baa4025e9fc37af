import type { MailingService, Reachable } from '../service/service.ts'
import { codeTo, deliver } from './mail.ts'
import { Person } from './person.ts'
import { at, isAlive } from './sessions.ts'

const THIEF = '203.0.113.66'

/** What was stolen. What is not there is unknown to the thief. */
export interface Loot {
  password?: string
  accessToken?: string
  refreshToken?: string
  accountToken?: string
  /** Of the owner's authenticator, in base32. */
  secret?: string
  recoveryCodes?: string[]
  /** The address whose mails the thief reads. */
  mailbox?: string
}

/** A thief in a network of their own, who holds something of an account and makes of it what can be made. */
export class Thief {
  readonly holds: Person
  /** The address whose mails the thief reads. */
  mailbox: string | undefined
  readonly from: Reachable
  readonly #service: MailingService

  constructor(service: MailingService, username: string, { mailbox, ...loot }: Loot) {
    this.#service = service
    this.from = at(service, THIEF)
    this.holds = Object.assign(new Person(this.from, { username, password: '' }), loot)
    this.mailbox = mailbox
  }

  /** The best token there is for a change of the account. */
  get token(): string | undefined {
    return this.holds.accountToken || this.holds.accessToken || undefined
  }

  /** A code of the authenticator that was not used yet. */
  nextCode(): string {
    this.#service.clock.advance(30)
    return this.holds.code()
  }

  /** The code in a mail to the mailbox that the thief reads. */
  mailedCode(subject: RegExp): string | undefined {
    return codeTo(this.#service, this.mailbox ?? '', subject)
  }

  /** An access token that still opens something, after a refresh where that is what it takes. */
  async accessToken(): Promise<string | undefined> {
    const { holds } = this
    if (holds.accessToken && (await isAlive(this.from, holds.accessToken))) return holds.accessToken
    return holds.refreshToken && (await holds.refresh()).status === 200 ? holds.accessToken : undefined
  }

  /** A new password by way of the mailbox. */
  async resets(): Promise<boolean> {
    if (!this.mailbox) return false
    this.#service.clock.advance(61)
    await this.from.post('/password/forgot', { username: this.holds.username })
    await deliver(this.#service)
    const token = this.mailedCode(/reset your password/)
    if (!token) return false
    const [recoveryCode] = this.holds.recoveryCodes
    const password = 'chosen by a thief'
    const { status } = await this.from.post('/password/reset', {
      token,
      new_password: password,
      ...(recoveryCode && { recovery_code: recoveryCode }),
    })
    if (status !== 204) return false
    this.holds.password = password
    return true
  }

  /** A sign-in with what is at hand, or by the first factor of an account that has none. */
  async signsIn(): Promise<boolean> {
    const { holds } = this
    if (!holds.password) return false
    for (const code of holds.recoveryCodes)
      if ((await holds.logIn(holds.password, code)).status === 200) return true
    const { status, body } = await holds.logIn()
    if (status !== 200) return false
    if (!body.mfa_required) return true
    if (!body.enrolled) return (await holds.setUp()).status === 200 && (await holds.verify()).status === 200
    if (holds.secret && (await holds.verify(this.nextCode())).status === 200) return true
    await this.from.post('/2fa/email', undefined, holds.mfaToken)
    const mailed = this.mailedCode(/sign-in code/)
    return mailed !== undefined && (await holds.verify(mailed, 'email')).status === 200
  }

  /** A step-up of a stolen session. */
  async stepsUp(): Promise<boolean> {
    const { holds } = this
    const { password, secret, recoveryCodes } = holds
    if (!(await this.accessToken())) return false
    const answers = [
      ...(secret ? [{ code: this.nextCode() }] : []),
      ...recoveryCodes.map((code) => ({ method: 'recovery_code', code })),
      ...(password ? [{ method: 'password' }] : []),
    ]
    for (const answer of answers)
      if ((await holds.stepUp({ ...answer, ...(password && { password }) })).status === 200) return true
    return false
  }

  /**
   * Goes on for as long as one thing leads to another.
   *
   * @returns whether the account is the thief's: who gets an account token can make one change after another.
   */
  async goesOn(): Promise<boolean> {
    this.holds.accountToken = ''
    for (let round = 0; round < 2; round += 1) {
      await this.signsIn()
      await this.stepsUp()
      if (this.holds.accountToken) return true
      await this.resets()
    }
    return false
  }
}
