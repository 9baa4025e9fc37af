// First, so that this process has one factor more: schemas are made from the registry while the service is loaded.
import './handshake/register.ts'

import { randomBytes } from 'node:crypto'
import t, { type Test } from 'tap'
import { Value } from 'typebox/value'
import { copyDatabase } from '../../src/cli/commands/copy.ts'
import { operatorCaller } from '../../src/cli/operator.ts'
import { reseal } from '../../src/cli/table-rows.ts'
import { makeKeyRing } from '../../src/crypto/key-ring.ts'
import { makeSecretBox } from '../../src/crypto/secret-box.ts'
import { describeFactors } from '../../src/factors/describe.ts'
import { resetFactors } from '../../src/factors/reset.ts'
import { makeMetrics } from '../../src/monitoring/metrics.ts'
import { cleanUp } from '../../src/upkeep/clean-up.ts'
import {
  giveAddress,
  type MailingService,
  mailedCode,
  registerWithEmail,
  switchCodes,
} from '../helpers/people/mail.ts'
import { accountTokenFor, claimsOf, isAlive, refresh, signedInBy } from '../helpers/people/sessions.ts'
import { runCommand } from '../helpers/programs/command.ts'
import { burst, outcomeOf, tally } from '../helpers/requests/burst.ts'
import { CHEAP_HASHES, login, logins, startService, testClock } from '../helpers/service/service.ts'
import { type AnswerBody, authenticator, KINDS, type Kind } from './kinds.ts'
import {
  accountOf,
  confirmIn,
  enrol,
  eventsOf,
  type Holder,
  offer,
  restart,
  sessionsOf,
  signIn,
  stepUp,
  verify,
  verifyFirst,
} from './people.ts'

// What must hold of every second factor, the same for each of them: a row for each is in `kinds.ts`, and a check for
// each thing that the service does with factors is here. The last row is of a factor that no file of `src/` knows.

const clock = testClock()
const metrics = makeMetrics({ clock, databaseUrl: 'sqlite::memory:' })
const service = await startService(t, { mail: true, clock, instruments: metrics.instruments })

/** How many right and how many wrong answers of a factor the metrics tell of. */
async function countedCodes({ method }: Kind): Promise<{ right: number; wrong: number }> {
  const text = await metrics.text()
  const count = (outcome: string) =>
    Number(text.split(`keyturn_codes_total{method="${method}",outcome="${outcome}"} `)[1]?.split('\n')[0])
  return { right: count('success'), wrong: count('failure') }
}

t.test('every factor is in the documents, and counted from the start', async (t) => {
  const { paths, components } = (await service.get('/openapi.json')).body
  const answers = paths['/2fa/verify'].post.requestBody.content['application/json'].schema.anyOf
  const described = paths['/2fa'].get.responses['200'].content['application/json'].schema.properties
  // A method that may be left out may be null.
  const methods = answers.flatMap(
    ({
      properties: { method },
    }: {
      properties: { method: { enum?: string[]; anyOf?: { enum: string[] }[] } }
    }) => method.enum ?? method.anyOf?.[0]?.enum,
  )
  t.strictSame(
    methods,
    KINDS.map(({ method }) => method),
  )
  t.strictSame(components.schemas.MfaStep.properties.methods.items.enum, methods)
  t.strictSame(Object.keys(described), ['factors', ...KINDS.flatMap(({ member }) => member?.name ?? [])])
  for (const kind of KINDS) {
    t.strictSame(await countedCodes(kind), { right: 0, wrong: 0 })
    t.ok((await metrics.text()).includes(`keyturn_lockouts_total{method="${kind.method}"} 0`))
    for (const path of Object.values(kind.routes ?? {})) t.ok(paths[path].post, path)
  }
})

type Check = (t: Test, kind: Kind, username: string) => Promise<void>

const CHECKS: Record<string, Check> = {
  async 'a right answer enrols it, and a wrong one does not'(t, kind, username) {
    const { id, mfaToken } = await registerWithEmail(service, username)
    t.equal((await offer(service, username)).methods.includes(kind.method), kind.enrols)
    const device = await kind.begin(service, { username, recoveryCodes: ['0000-0000'] }, mfaToken)
    const right = kind.enrols ? device.first : await device.answer(service, mfaToken)
    const refused = await verifyFirst(service, kind, device.spoilt(service, right), mfaToken)
    t.equal(outcomeOf(refused), kind.wrong)
    t.match(refused.body, { attempts_left: 4, detail: kind.refused })
    t.equal((await offer(service, username)).enrolled, false)
    if (!kind.enrols) return
    if (kind.bound) {
      const elsewhere = await verifyFirst(service, kind, device.first, await login(service, username))
      t.equal(outcomeOf(elsewhere), kind.wrong, 'of another sign-in')
    }

    const before = await countedCodes(kind)
    const { status, body } = await verifyFirst(service, kind, device.first, mfaToken)
    t.equal(status, 200)
    t.equal(body.recovery_codes.length, 10)
    t.match(claimsOf(body.access_token), { amr: ['pwd', ...kind.amr, 'mfa'], acr: kind.acr })
    t.equal((await countedCodes(kind)).right, before.right + 1)
    const { enrolled, methods } = await offer(service, username)
    t.ok(enrolled && methods.includes(kind.method))
    const events = await eventsOf(service, id, kind.method)
    t.ok(events.includes('code_rejected') && events.includes('factor_enrolled'))
  },

  async 'a password alone begins no other one'(t, kind, username) {
    await enrol(service, kind, username)
    for (const { routes } of KINDS)
      if (routes) {
        const answer = await service.post(routes.begin, undefined, await login(service, username))
        t.equal(outcomeOf(answer), '409 already_enrolled', routes.begin)
      }
  },

  async 'a right answer signs in, once'(t, kind, username) {
    const person = await enrol(service, kind, username)
    const mfaToken = await login(service, username)
    const answer = await person.answer(service, mfaToken)
    const before = await countedCodes(kind)
    const unknown = await verify(service, { ...answer, unknown: true }, mfaToken)
    t.equal(outcomeOf(unknown), '400 validation_failed')
    t.match(unknown.body.errors, [{ pointer: '/unknown' }])
    const { status, body } = await verify(service, answer, mfaToken)
    t.equal(status, 200)
    t.notOk(body.recovery_codes)
    t.match(claimsOf(body.access_token), { amr: ['pwd', ...kind.amr, 'mfa'], acr: kind.acr })
    t.equal((await countedCodes(kind)).right, before.right + 1)
    t.ok((await eventsOf(service, person.id, kind.method)).includes('code_accepted'))

    t.equal(outcomeOf(await verify(service, answer, mfaToken)), '401 invalid_token', 'the same token')
    const again = await verify(service, answer, await login(service, username))
    t.equal(outcomeOf(again), kind.wrong, 'another one')
    if (kind.stepsUp) t.equal(outcomeOf(await stepUp(service, answer, body.access_token)), kind.wrong)
  },

  async 'a burst of one right answer opens one session'(t, kind, username) {
    const person = await enrol(service, kind, username)
    const tokens = await logins(service, 2, username)
    const answer = await person.answer(service, tokens[0] ?? '')
    const before = await sessionsOf(service, person)
    const answers = await burst(8, (index) => verify(service, answer, tokens[index % 2] ?? ''))
    const { 200: right, '401 invalid_token': late = 0, [kind.wrong]: wrong = 0, ...rest } = tally(answers)
    t.equal(right, 1)
    t.equal(late + wrong, 7)
    t.strictSame(rest, {})
    t.equal(await sessionsOf(service, person), before + 1)
  },

  async 'an answer is good for its own account, and its own question'(t, kind, username) {
    const person = await enrol(service, kind, username)
    const mallory = await enrol(service, kind, `${username}-mallory`)
    const [own = '', other = ''] = await logins(service, 2, username)
    const mallorys = await login(service, mallory.username)
    const stolen = await mallory.answer(service, mallorys)
    t.equal(outcomeOf(await verify(service, stolen, own)), kind.wrong, 'of another account')
    t.equal((await verify(service, stolen, mallorys)).status, 200, 'which has not used it up')

    const answer = await person.answer(service, own)
    if (kind.bound) {
      t.equal(outcomeOf(await verify(service, answer, other)), kind.wrong, 'of another sign-in')
      if (kind.stepsUp) t.equal(outcomeOf(await stepUp(service, answer, person.accessToken)), kind.wrong)
    }
    t.equal((await verify(service, answer, own)).status, 200)
  },

  async 'ten wrong answers in a row bring a pause, where they are guesses'(t, kind, username) {
    const person = await enrol(service, kind, username)
    if (kind.method !== 'email') {
      await giveAddress(service, person.accessToken, `${username}@example.com`)
      t.equal((await switchCodes(service, person.accessToken, true)).status, 204)
    }
    const [one = '', two = '', three = '', four = ''] = await logins(service, 4, username)
    const wrongs: [string, AnswerBody][] = []
    for (const token of [one, two])
      wrongs.push([token, person.spoilt(service, await person.answer(service, token))])
    const right = await person.answer(service, three)
    const before = await countedCodes(kind)
    for (const [token, wrong] of wrongs) {
      for (const left of [4, 3, 2, 1, 0]) {
        const answer = await verify(service, wrong, token)
        t.equal(`${outcomeOf(answer)} ${answer.body.attempts_left}`, `${kind.wrong} ${left}`)
      }
      t.equal(outcomeOf(await verify(service, wrong, token)), '401 invalid_token', 'the sign-in is over')
    }
    t.equal((await countedCodes(kind)).wrong, before.wrong + 10)
    const isPaused = (await eventsOf(service, person.id, kind.method)).includes('attempts_paused')
    t.equal(isPaused, !kind.unguessable, 'what is too long to be guessed pauses nothing')

    if (isPaused) {
      const paused = await verify(service, right, three)
      t.equal(outcomeOf(paused), '429 too_many_attempts')
      t.equal(paused.headers['retry-after'], '30')
    }
    const beside =
      kind.method === 'email'
        ? { method: 'recovery_code', code: person.recoveryCodes[0] }
        : { method: 'email', code: await mailedCode(service, four) }
    t.equal((await verify(service, beside, four)).status, 200, 'another factor is open')
    clock.advance(30)
    t.equal((await verify(service, right, three)).status, 200, 'the answer was not used up')
    const wrong = person.spoilt(service, right)
    t.equal(outcomeOf(await verify(service, wrong, await login(service, username))), kind.wrong)
  },

  async 'a step-up takes it, once'(t, kind, username) {
    const person = await enrol(service, kind, username)
    clock.advance(60)
    if (!kind.stepsUp) {
      const answer = { method: kind.method, code: '000000' }
      t.equal(outcomeOf(await stepUp(service, answer, person.accessToken)), '409 email_unavailable')
      return
    }
    const answer = await person.answer(service, person.accessToken)
    if (kind.bound) {
      const { body } = await signIn(service, person)
      t.equal(outcomeOf(await stepUp(service, answer, body.access_token)), kind.wrong, 'of another')
    }
    const refused = await stepUp(service, person.spoilt(service, answer), person.accessToken)
    t.match(refused.body, { code: kind.wrong.slice(4), detail: kind.refused })
    const answers = await burst(5, () => stepUp(service, answer, person.accessToken))
    t.strictSame(tally(answers), { 200: 1, [kind.wrong]: 4 })
    const { access_token } = answers.find(({ status }) => status === 200)?.body ?? {}
    const [before, after] = [claimsOf(person.accessToken), claimsOf(access_token)]
    t.match(after, { sid: before.sid, amr: ['pwd', ...kind.amr, 'mfa'], acr: kind.acr })
    t.ok(after.auth_time >= before.auth_time + 60)
    const late = await verify(service, answer, await login(service, username))
    t.equal(outcomeOf(late), kind.wrong, 'and no sign-in takes it after that')
  },

  async 'its owner sees it'(t, kind, username) {
    const person = await enrol(service, kind, username)
    const { body } = await service.get('/2fa', person.accessToken)
    const own = body.factors.filter((factor: { kind: string }) => factor.kind === kind.method)
    t.match(own, kind.seen ? [kind.seen] : { length: 0 })
    if (kind.member) t.match(body[kind.member.name], kind.member.has)
    const told = await describeFactors(service.deps, await accountOf(service, person))
    for (const { description } of service.deps.factors.all)
      if (description) t.ok(Value.Check(description.schema, told[description.member]), description.member)
  },

  async 'its owner removes it, where that is allowed'(t, kind, username) {
    const person = await enrol(service, kind, username)
    const bystander = await enrol(service, kind, `${username}-bystander`)
    const mfaToken = await login(service, username)
    const answer = await person.answer(service, mfaToken)
    t.equal(
      outcomeOf(await service.delete('/2fa', await accountTokenFor(service, person.accessToken))),
      '403 two_factor_required',
    )

    const optional = await restart(t, service, { environment: { MFA_POLICY: 'optional' } })
    const removed = await optional.delete('/2fa', await accountTokenFor(optional, person.accessToken))
    const after = signedInBy(removed)
    const { body: left } = await optional.get('/2fa', after.accessToken)
    t.strictSame(left.factors, [])
    if (kind.member) t.match(left[kind.member.name], kind.member.hasNot)
    t.equal((await offer(optional, username)).mfa_required, false)
    t.equal(claimsOf((await refresh(optional, after.refreshToken)).body.access_token).acr, 'aal1')
    t.notOk(await isAlive(optional, person.accessToken), 'every session of before ends')
    t.equal(outcomeOf(await verify(optional, answer, mfaToken)), kind.afterRemoval)
    t.equal((await signIn(service, bystander)).status, 200, 'others keep theirs')

    if (!kind.routes) return
    const { access_token, account_token } = await offer(optional, username)
    const device = await kind.begin(optional, person, account_token)
    const { status, body } = await confirmIn(optional, kind, device.first, access_token)
    t.equal(status, 200, 'a session of the password alone sets it up again')
    t.equal(body.recovery_codes.length, 10)
    t.notOk(await isAlive(optional, after.accessToken), 'the other one ends')
  },

  async 'an operator resets it, and the counts with it'(t, kind, username) {
    const person = await enrol(service, kind, username)
    const bystander = await enrol(service, kind, `${username}-bystander`)
    const mfaToken = await login(service, username)
    const answer = await person.answer(service, mfaToken)
    await verify(service, person.spoilt(service, answer), mfaToken)
    const enrolmentCode = await resetFactors(service.deps, await accountOf(service, person), operatorCaller())

    t.equal(outcomeOf(await verify(service, answer, mfaToken)), '401 invalid_token')
    t.notOk(await isAlive(service, person.accessToken))
    const counters = await service.db
      .selectFrom('failure_counters')
      .selectAll()
      .where('subject', '=', person.id)
      .execute()
    t.strictSame(counters, [])
    const { enrolled, mfa_token: next } = await offer(service, username)
    t.equal(enrolled, false)
    for (const { routes } of KINDS)
      if (routes)
        t.equal(
          outcomeOf(await service.post(routes.begin, undefined, next)),
          '403 enrolment_code_required',
          `${routes.begin} by the password alone`,
        )
    const device = await authenticator.begin(service, person, next, enrolmentCode ?? '')
    const { status, body } = await verify(service, device.first, next)
    t.equal(status, 200, 'and its owner sets up an authenticator with the code of the operator')
    t.equal(body.recovery_codes.length, 10)
    t.equal((await signIn(service, bystander)).status, 200, 'others keep theirs')
  },
}

for (const kind of KINDS)
  t.test(kind.method, async (t) => {
    for (const [index, [name, check]] of Object.entries(CHECKS).entries())
      await t.test(name, (t) => check(t, kind, `${kind.method}-${index}`))
  })

for (const kind of KINDS.filter(({ routes }) => routes))
  t.test(`a session adds ${kind.method} to another factor`, async (t) => {
    const other = KINDS.find(({ routes, method }) => routes && method !== kind.method) as Kind
    const username = `${kind.method}-added`
    const person = await enrol(service, other, username)
    const device = await kind.begin(service, person, await accountTokenFor(service, person.accessToken))
    const confirm = (answer: AnswerBody) => confirmIn(service, kind, answer, person.accessToken)
    t.equal(outcomeOf(await confirm(device.spoilt(service, device.first))), kind.wrong)
    t.notOk((await offer(service, username)).methods.includes(kind.method))

    const { status, body } = await confirm(device.first)
    t.notOk(body.recovery_codes, 'there are some left')
    if (kind.sessionsGoOn) {
      t.equal(status, 201)
      t.match(body, { factor: kind.seen })
      t.equal((await refresh(service, person.refreshToken)).status, 200)
    } else {
      t.equal(status, 200)
      t.match(claimsOf(body.access_token), { amr: ['pwd', ...kind.amr, 'mfa'], acr: kind.acr })
      t.equal(outcomeOf(await refresh(service, person.refreshToken)), '401 invalid_refresh_token')
    }
    const { methods } = await offer(service, username)
    t.ok(methods.includes(kind.method) && methods.includes(other.method))
    t.equal((await signIn(service, { ...person, ...device })).status, 200)
  })

// What is done to a whole database, with an account of every kind in it.

const [OLD, NEW] = [randomBytes(32), randomBytes(32)]

interface Life {
  kind: Kind
  person: Holder
  /** An answer that was right, and was used. */
  used: AnswerBody
}

async function live(service: MailingService): Promise<Life[]> {
  const lives: Life[] = []
  for (const kind of KINDS) {
    const person = await enrol(service, kind, kind.method)
    lives.push({ kind, person, used: (await signIn(service, person)).given })
  }
  return lives
}

/** What was used is used, and what comes next is right. */
async function goOn(t: Test, service: MailingService, lives: readonly Life[]): Promise<void> {
  for (const { kind, person, used } of lives) {
    const again = await verify(service, used, await login(service, person.username))
    t.equal(outcomeOf(again), kind.wrong, `${kind.method}: what was used`)
    t.equal((await signIn(service, person)).status, 200, `${kind.method}: the next one`)
  }
}

t.test('operators see every factor', async (t) => {
  const service = await startService(t, { mail: true, rootKeys: [OLD] })
  for (const kind of KINDS) await enrol(service, kind, kind.method)
  const commands = ['users list --json', ...KINDS.map(({ method }) => `users show ${method} --json`)]
  const environment = {
    DATABASE_URL: service.databaseUrl,
    SECRET_KEY: OLD.toString('base64'),
    ...CHEAP_HASHES,
  }
  const { stdout, stderr } = await runCommand(
    t,
    ['test/factors/handshake/commands.ts', ...commands],
    environment,
  ).ended
  t.equal(stderr, '')
  const [list, ...shown] = stdout.split(/\n(?=[[{])/).map((document) => JSON.parse(document))
  const secondFactorOf = new Map(list.map((row: Record<string, string>) => [row.username, row.second_factor]))
  for (const [index, kind] of KINDS.entries()) {
    t.equal(secondFactorOf.get(kind.method), kind.listed)
    t.match(shown[index], kind.shown)
  }
})

t.test('keys reseal seals every secret again', async (t) => {
  const before = await startService(t, { mail: true, rootKeys: [OLD] })
  const lives = await live(before)
  const resealed = await reseal(before.db, makeSecretBox(makeKeyRing([NEW, OLD])))
  t.match(resealed, { 'TOTP secrets': 2, 'handshake keys': 1 })
  await before.close()
  await goOn(t, await restart(t, before, { rootKeys: [NEW] }), lives)
})

t.test('a copy takes everything along', async (t) => {
  const databaseUrl = `sqlite:${t.testdir()}/copy.db`
  const before = await startService(t, { mail: true, rootKeys: [OLD] })
  const lives = await live(before)
  await before.close()
  const { tables } = await copyDatabase(before.databaseUrl, databaseUrl)
  t.match(tables, { handshake_keys: { rows: 1 }, handshake_challenges: { rows: 2 } })
  const after = await restart(t, { ...before, databaseUrl }, { rootKeys: [OLD] })
  await goOn(t, after, lives)
  // Before its folder is removed.
  await after.close()
})

t.test('clean-up takes what has expired, and nothing else', async (t) => {
  const service = await startService(t, { mail: true })
  const lives = await live(service)
  for (const { kind, person } of lives)
    if (kind.routes)
      await service.post(kind.routes.begin, undefined, await accountTokenFor(service, person.accessToken))
  service.clock.advance(3600)
  const deleted = await cleanUp(service.deps)
  for (const { kind } of lives) for (const table of kind.expiring) t.ok((deleted[table] ?? 0) > 0, table)
  await goOn(t, service, lives)
})
