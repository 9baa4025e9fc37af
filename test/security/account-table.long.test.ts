// Walks the table of docs/what-a-thief-gets.md: in each state of an account, each thief tries each event.
import t, { type Test } from 'tap'
import type { Account } from '../../src/accounts/account.ts'
import { closeAccount, openAccount } from '../../src/accounts/close-account.ts'
import { deleteAccount } from '../../src/accounts/delete-account.ts'
import { operatorCaller } from '../../src/cli/operator.ts'
import { resetFactors } from '../../src/factors/reset.ts'
import { inTransaction } from '../../src/platform/database.ts'
import { page, tableRows } from '../helpers/documents/readme.ts'
import {
  codeTo,
  deliver,
  enrolByEmail,
  enrolWithAddress,
  enrolWithCodes,
  linkIn,
} from '../helpers/people/mail.ts'
import { expecting, Person } from '../helpers/people/person.ts'
import { accountTokenFor, isAlive } from '../helpers/people/sessions.ts'
import { type Loot, Thief } from '../helpers/people/thief.ts'
import { CLOSED, setFailures } from '../helpers/service/failures.ts'
import {
  type Enrolled,
  enrol,
  type MailingService,
  PASSWORD,
  startService,
  wrongCode,
} from '../helpers/service/service.ts'

/** One account, its owner, and the state it is in. */
interface Life {
  service: MailingService
  state: string
  owner: Person
  /** Of mails to the proven address, where there is one. */
  mailbox: string | undefined
  /** What an operator has told the owner. */
  enrolmentCode?: string
}

type Make = (
  service: MailingService,
  username: string,
) => Promise<Omit<Enrolled, 'secret' | 'confirmingCode'> & { secret?: string }>

/** The one in which no second factor is asked for, and it may be removed. */
const OPTIONAL = '`optional`'

/** The states of an account with a second factor, as the columns of the table name them. */
const STATES: Record<string, Make> = {
  authenticator: enrol,
  '+ address': enrolWithAddress,
  '+ codes by mail': enrolWithCodes,
  'mailbox alone': enrolByEmail,
  [OPTIONAL]: enrolWithAddress,
  closed: async (service, username) => {
    const made = await enrolWithAddress(service, username)
    await setFailures(service, made.id, 'totp', 100, CLOSED)
    return made
  },
}

/** What each thief holds of an account. */
const LOOT: Record<string, (life: Life) => Promise<Loot> | Loot> = {
  'the name': () => ({}),
  'the password': () => ({ password: PASSWORD }),
  'an access token': ({ owner: { accessToken } }) => ({ accessToken }),
  'a refresh token': ({ owner: { refreshToken } }) => ({ refreshToken }),
  'an account token': async ({ service, owner: { accessToken } }) => ({
    accountToken: await accountTokenFor(service, accessToken),
  }),
  'a whole answer to a sign-in': async ({ service, owner: { accessToken, refreshToken } }) => ({
    accessToken,
    refreshToken,
    accountToken: await accountTokenFor(service, accessToken),
  }),
  'the mailbox': ({ mailbox }) => ({ ...(mailbox && { mailbox }) }),
  'a recovery code': ({ owner: { recoveryCodes } }) => ({ recoveryCodes: recoveryCodes.slice(0, 1) }),
  'the locked phone': () => ({}),
  'the unlocked phone': ({ owner: { secret, accessToken, refreshToken } }) => ({
    secret,
    accessToken,
    refreshToken,
  }),
  'the unlocked phone, with the mailbox': ({ mailbox, owner: { secret, accessToken, refreshToken } }) => ({
    secret,
    accessToken,
    refreshToken,
    ...(mailbox && { mailbox }),
  }),
}

/** What goes with the phone is gone for its owner. */
const isPhone = (who: string) => /phone/.test(who)

/** Who sees the factors of the owner can name the one that goes; to the others another one is added. */
async function inThePlaceOfOurs(thief: Thief): Promise<object | undefined> {
  const token = await thief.accessToken()
  const { body } = await thief.from.get('/2fa', token)
  const old = token && body.factors.find(({ kind }: { kind: string }) => kind === 'totp')
  return old && { replaces: old.id }
}

/** What a thief tries. @returns whether it came about. */
const EVENTS: Record<string, (thief: Thief, life: Life) => Promise<boolean>> = {
  'reads the account': async (thief) => {
    const token = await thief.accessToken()
    return token !== undefined && (await thief.from.get('/me', token)).status === 200
  },
  'signs the owner out': async (thief) =>
    (await thief.from.post('/logout', undefined, await thief.accessToken())).status === 204,
  'keeps the session by refreshes': async ({ holds }) =>
    (await holds.refresh()).status === 200 && (await holds.refresh()).status === 200,
  'signs in': (thief) => thief.signsIn(),
  'sets a password by mail': (thief) => thief.resets(),
  'changes the password': async ({ from, holds, token }) =>
    (
      await from.post(
        '/password/change',
        { current_password: holds.password || 'a guess', new_password: 'chosen by a thief' },
        token,
      )
    ).status === 200,
  'replaces the authenticator': async (thief) => {
    const { from, holds, token } = thief
    const { status, body } = await from.post('/2fa/setup', await inThePlaceOfOurs(thief), token)
    if (status === 200) holds.secret = body.secret
    const confirmed = await from.post('/2fa/setup/confirm', { code: holds.code() }, token)
    if (confirmed.status === 200)
      Object.assign(holds, {
        accessToken: confirmed.body.access_token,
        refreshToken: confirmed.body.refresh_token,
      })
    return confirmed.status === 200
  },
  'renews the recovery codes': async ({ from, holds, token }) => {
    const { status, body } = await from.post('/2fa/recovery-codes', undefined, token)
    if (status === 200) holds.recoveryCodes = body.recovery_codes
    return status === 200
  },
  'moves the address': async (thief, { service }) => {
    const address = `${thief.holds.username}@evil.example`
    await service.put('/me/email', { email: address }, thief.token)
    const code = codeTo(service, address, /confirm your address/) ?? '000000'
    const proven = await thief.from.post('/me/email/verify', { code }, await thief.accessToken())
    if (proven.status === 200) thief.mailbox = address
    return proven.status === 200
  },
  'moves the address by a link': async (thief, { service }) => {
    const address = `${thief.holds.username}@evil.example`
    // The minute after the mail with the code that was of no use.
    service.clock.advance(60)
    if ((await service.put('/me/email', { email: address }, thief.token)).status !== 202) return false
    const token = linkIn(service.smtp.mails.at(-1)).split('#token=')[1]
    const proven = await thief.from.post('/me/email/verify', { token })
    if (proven.status === 200) thief.mailbox = address
    return proven.status === 200
  },
  'switches codes by mail': async ({ token }, { service, state }) =>
    (await service.put('/2fa/email', { enabled: state !== '+ codes by mail' }, token)).status === 204,
  'removes the second factor': async ({ token }, { service }) =>
    (await service.delete('/2fa', token)).status === 200,
  'deletes the account': async ({ token }, { service }) =>
    (await service.delete('/me', token)).status === 204,
  'voids a recovery code': async ({ from, holds }, { service, owner }) => {
    const left = async () => (await service.get('/2fa', owner.accessToken)).body.recovery_codes.remaining
    const before = await left()
    const [code] = holds.recoveryCodes
    if (!code) return false
    for (let guess = 0; guess < 10; guess += 1)
      await from.post('/login', { username: owner.username, password: `guess ${guess}`, recovery_code: code })
    return (await left()) < before
  },
  'closes the authenticator': async (thief, { service, owner }) => {
    const { from, holds } = thief
    const open = async () => (await owner.logIn()).body?.methods?.includes('totp') === true
    if (!owner.secret || !(holds.password || thief.token) || !(await open())) return false
    await setFailures(service, owner.id, 'totp', 90)
    for (let guess = 0; guess < 10; guess += 1) {
      service.clock.advance(901)
      const code = wrongCode(service, owner)
      if (holds.password && (await holds.logIn()).status === 200) await holds.verify(code)
      else {
        const accessToken = await thief.accessToken()
        if (!accessToken || (await from.post('/2fa/step-up', { code }, accessToken)).status !== 422) break
      }
    }
    return !(await open())
  },
}

/** What an operator does to the wrong account. */
const MISTAKES: Record<string, (life: Life, account: Account) => Promise<unknown>> = {
  'users reset-2fa': async (life, account) => {
    life.enrolmentCode = (await resetFactors(life.service.deps, account, operatorCaller())) ?? ''
  },
  'users disable': ({ service }, account) => closeAccount(service.deps, account, operatorCaller()),
  'users reset-password': async ({ service, owner, mailbox }) => {
    if (mailbox) await service.post('/password/forgot', { username: owner.username })
  },
  'sessions end': ({ service: { deps } }, { id }) =>
    inTransaction(deps.db, (trx) => deps.sessions.endAll(trx, id)),
  'users delete': ({ service }, account) => deleteAccount(service.deps, { account }, operatorCaller()),
}

/** What an owner loses. */
const LOSSES: Record<string, (life: Life) => void> = {
  'the phone': ({ owner }) => {
    owner.secret = ''
  },
  'the recovery codes': ({ owner }) => {
    owner.recoveryCodes = []
  },
  'the password': ({ owner }) => {
    owner.password = 'forgotten'
  },
  'the mailbox': (life) => {
    life.mailbox = undefined
  },
  'phone and password': ({ owner }) => {
    owner.secret = ''
    owner.password = 'forgotten'
  },
  'phone and recovery codes': ({ owner }) => {
    owner.secret = ''
    owner.recoveryCodes = []
  },
}

/** How an owner comes back in, the simplest way first. Each ends with an account token in the owner's hands. */
const WAYS: Record<string, (life: Life) => Promise<boolean>> = {
  code: byCode,
  'mail, code': async (life) => (await byMail(life)) && (await byCode(life)),
  authenticator: byAuthenticator,
  'mail, authenticator': async (life) => (await byMail(life)) && (await byAuthenticator(life)),
  mailbox: byMailedCode,
  password: async ({ owner }) => (await owner.logIn()).body?.account_token !== undefined,
  'enrolment code': byEnrolmentCode,
  'mail, enrolment code': async (life) => (await byMail(life)) && (await byEnrolmentCode(life)),
  'enabled, code': async (life) => {
    const { deps } = life.service
    const account = await deps.accounts.byId(life.owner.id)
    if (!account) return false
    await openAccount(deps, account, operatorCaller())
    return byCode(life)
  },
  operator: async (life) => {
    const { deps } = life.service
    const account = await deps.accounts.byId(life.owner.id)
    if (!account) return false
    const enrolmentCode = (await resetFactors(deps, account, operatorCaller())) ?? ''
    return byEnrolmentCode({ ...life, enrolmentCode })
  },
}

async function byCode({ owner }: Life): Promise<boolean> {
  const [code] = owner.recoveryCodes
  return code !== undefined && (await owner.logIn(owner.password, code)).body?.account_token !== undefined
}

async function byAuthenticator({ service, owner }: Life): Promise<boolean> {
  if (!owner.secret || (await owner.logIn()).status !== 200) return false
  service.clock.advance(30)
  return (await owner.verify()).body?.account_token !== undefined
}

async function byMailedCode({ service, owner, mailbox }: Life): Promise<boolean> {
  if (!mailbox || (await owner.logIn()).status !== 200) return false
  await service.post('/2fa/email', undefined, owner.mfaToken)
  const code = codeTo(service, mailbox, /sign-in code/)
  return code !== undefined && (await owner.verify(code, 'email')).body?.account_token !== undefined
}

async function byEnrolmentCode({ service, owner, enrolmentCode }: Life): Promise<boolean> {
  if (!enrolmentCode || (await owner.logIn()).body?.enrolment_code_required !== true) return false
  service.clock.advance(30)
  return (
    (await owner.setUp({ enrolment_code: enrolmentCode })).status === 200 &&
    (await owner.verify()).body?.account_token !== undefined
  )
}

/** A new password by mail, with a recovery code where the mailbox is the only factor. */
async function byMail({ service, owner, mailbox }: Life): Promise<boolean> {
  if (!mailbox) return false
  service.clock.advance(61)
  await service.post('/password/forgot', { username: owner.username })
  await deliver(service)
  const token = codeTo(service, mailbox, /reset your password/)
  const password = 'chosen by the owner'
  for (const code of [undefined, owner.recoveryCodes[0]]) {
    const body = { token, new_password: password, ...(code && { recovery_code: code }) }
    if ((await service.post('/password/reset', body)).status !== 204) continue
    if (code) owner.recoveryCodes.shift()
    owner.password = password
    return true
  }
  return false
}

/** @returns the first way that leads back in, by its name; `LOST` when none does. */
async function wayBack(life: Life): Promise<string> {
  for (const [name, way] of Object.entries(WAYS)) if (await way(life)) return name
  return LOST
}

/**
 * What the owner does first: another address, where a thief reads the mailbox, and otherwise another authenticator. Both
 * end what the thief has begun.
 */
async function putsThingsRight({ service, owner }: Life, thief: Thief): Promise<void> {
  owner.mfaToken = ''
  if (thief.mailbox) {
    const address = `${owner.username}@new.example`
    await expecting(202, service.put('/me/email', { email: address }, owner.accountToken))
    const code = codeTo(service, address, /confirm your address/)
    await expecting(200, service.post('/me/email/verify', { code }, owner.accessToken))
    return
  }
  await expecting(200, owner.setUp())
  service.clock.advance(30)
  await expecting(200, owner.confirm())
}

const LOST = '**lost**'
const NOTHING = '–'
const TAKEN = '**the account**'

/** New accounts in one state. */
async function accountsIn(t: Test, state: string): Promise<() => Promise<Life>> {
  const environment = {
    MFA_POLICY: state === OPTIONAL ? 'optional' : 'required',
    VERIFY_URL: 'https://app.example.com/verify#token={token}',
  }
  const service = await startService(t, { mail: true, environment, spared: ['countersAreResetBySuccess'] })
  let made = 0
  return async () => {
    made += 1
    const username = `ada${made}`
    const owner = new Person(service, { username })
    Object.assign(owner, { secret: '' }, await (STATES[state] as Make)(service, username))
    // A password that was shown just now would let the next code alone hand out an account token.
    service.clock.advance(301)
    const { email, emailVerified } = (await service.deps.accounts.byId(owner.id)) as Account
    return { service, state, owner, mailbox: email && emailVerified ? email : undefined }
  }
}

/** What each event means for the account, if a thief who holds this can bring it about; one row without an event, if none. */
async function tryEach(who: string, next: () => Promise<Life>): Promise<Record<string, string>> {
  const cells: Record<string, string> = {}
  let life = await next()
  for (const [event, comesAbout] of [...Object.entries(EVENTS), [NOTHING, async () => true] as const]) {
    // A stolen refresh token that was tried in vain has ended the session.
    if (!(await refreshes(life))) life = await next()
    const [thief, loot] = await theft(who, life)
    const came = await comesAbout(thief, life)
    cells[event] = came ? await aftermath(who, life, thief, loot) : NOTHING
    if (came && event !== NOTHING) life = await next()
  }
  return cells
}

async function refreshes({ service, owner }: Life): Promise<boolean> {
  service.clock.advance(7)
  return (await owner.refresh()).status === 200
}

async function theft(who: string, life: Life): Promise<[Thief, Loot]> {
  const { service, owner } = life
  const loot = await (LOOT[who] as (life: Life) => Loot | Promise<Loot>)(life)
  return [new Thief(service, owner.username, loot), loot]
}

/** @returns the way back for the owner, or that the account is the thief's. */
async function aftermath(who: string, life: Life, thief: Thief, loot: Loot): Promise<string> {
  const { service, owner } = life
  if (await thief.goesOn()) return TAKEN
  if (isPhone(who)) owner.secret = ''
  owner.recoveryCodes = owner.recoveryCodes.filter((code) => !loot.recoveryCodes?.includes(code))
  const way = await wayBack(life)
  if (way === LOST) return way
  await putsThingsRight(life, thief)
  if (await thief.accessToken()) throw new Error(`${who}: the thief is still signed in`)
  if (await thief.goesOn()) return TAKEN
  if (!(await isAlive(service, owner.accessToken))) throw new Error(`${who}: the owner is signed out`)
  return way
}

/** An operator's mistake, which a thief of the mailbox or of the password has waited for. */
async function mistake(name: string, next: () => Promise<Life>): Promise<string> {
  let cell = LOST
  for (const who of ['the mailbox', 'the password']) {
    const life = await next()
    const [thief, loot] = await theft(who, life)
    await MISTAKES[name]?.(life, (await life.service.deps.accounts.byId(life.owner.id)) as Account)
    cell = await aftermath(who, life, thief, loot)
    if (cell === TAKEN) return cell
  }
  return cell
}

async function loss(name: string, next: () => Promise<Life>): Promise<string> {
  const life = await next()
  LOSSES[name]?.(life)
  return wayBack(life)
}

t.setTimeout(300_000)
const PAGE = 'what-a-thief-gets'
/** The cells of each row under each heading of the page, in the order of the states. */
const walked: Record<string, Map<string, string[]>> = {
  'What a thief can do': new Map(),
  'What an operator can do by mistake': new Map(),
  'What an owner can lose': new Map(),
}
const [thieves, mistakes, losses] = Object.values(walked) as [Rows, Rows, Rows]
type Rows = Map<string, string[]>

const note = (rows: Rows, row: string, cell: string) => rows.set(row, [...(rows.get(row) ?? []), cell])

for (const state of Object.keys(STATES))
  t.test(state, async () => {
    const next = await accountsIn(t, state)
    for (const who of Object.keys(LOOT))
      for (const [event, cell] of Object.entries(await tryEach(who, next)))
        note(thieves, `${who} | ${event}`, cell)
    for (const name of Object.keys(MISTAKES)) note(mistakes, `\`${name}\``, await mistake(name, next))
    for (const name of Object.keys(LOSSES)) note(losses, name, await loss(name, next))
  })

/** What no state allows has no row; a thief who can do nothing has one. */
function isShown(row: string, rows: Rows): boolean {
  const [who, event] = row.split(' | ')
  const cameAbout = (cells: string[] = []) => cells.some((cell) => cell !== NOTHING)
  if (event !== NOTHING) return cameAbout(rows.get(row))
  return !Object.keys(EVENTS).some((other) => cameAbout(rows.get(`${who} | ${other}`)))
}

t.test('the page says of each cell what is so', async (t) => {
  for (const [heading, rows] of Object.entries(walked)) {
    const [head = [], ...said] = tableRows(page(PAGE), heading)
    t.strictSame(head.slice(-Object.keys(STATES).length), Object.keys(STATES), heading)
    const found = [...rows].filter(([row]) => isShown(row, rows))
    t.strictSame(
      said.map((cells) => cells.join(' | ')),
      found.map(([row, cells]) => [row, ...cells].join(' | ')),
      heading,
    )
  }
})
