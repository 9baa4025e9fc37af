/**
 * `npm run soak`: people use the service for two and a half days that pass in ten minutes. Its memory, its descriptors, its log of
 * writes and its tables must level off: in the last third of the time they are what they were in the middle one.
 */
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import BetterSqlite3 from 'better-sqlite3'
import { Command } from 'commander'
import { tables } from '../../src/tables.ts'
import { expecting, Person } from '../helpers/people/person.ts'
import { remote } from '../helpers/programs/remote.ts'
import { CHEAP_HASHES } from '../helpers/service/service.ts'
import { startMeasured } from './measured-process.ts'
import { describeMachine, number, table } from './report.ts'

const { minutes } = new Command('soak')
  .description(
    'Lets people use the service for two and a half quick days, and sees whether anything grows without end.',
  )
  .option('--minutes <n>', 'how long', Number, 10)
  .parse()
  .opts<{ minutes: number }>()

/** Ten minutes are two and a half days, so that events, which are kept for one, are level in the middle third. */
const SPEED = 360
const PEOPLE = 40
const SAMPLES = 30
/** How far peaks of two thirds may differ: what grows evenly reaches 1.5 times its peak of the middle one. */
const TOLERANCE = 1.25

const FAST_CLOCK = fileURLToPath(new URL('fast-clock.mjs', import.meta.url))
const KEYTURN = fileURLToPath(new URL('../../src/cli/keyturn.js', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'keyturn-soak-'))
const file = join(folder, 'keyturn.db')
const from = Date.now()
const clock = { now: () => from + (Date.now() - from) * SPEED }

const server = await startMeasured({
  command: ['--import', FAST_CLOCK, '--max-semi-space-size=8', KEYTURN, 'serve'],
  environment: {
    ...CHEAP_HASHES,
    CLOCK_SPEED: String(SPEED),
    CLOCK_FROM: String(from),
    DATABASE_URL: `sqlite:${file}`,
    RATE_LIMIT: 'off',
    // A minute of the clock passes in the time of a few requests.
    MFA_TOKEN_TTL: '3600',
    ACCESS_TOKEN_TTL: '3600',
    REFRESH_TOKEN_TTL: '43200',
    AUDIT_RETENTION_DAYS: '1',
    MAX_SESSIONS: '20',
    HASH_QUEUE: '1000',
  },
  cwd: folder,
  logFile: join(folder, 'keyturn.log'),
  ready: '/readyz',
})
const service = { ...remote(`http://127.0.0.1:${server.port}`), clock }

let ended = false
let requests = 0
const counted = (status: number, answer: ReturnType<typeof service.get>) => {
  requests += 1
  return expecting(status, answer)
}

async function enrol(username: string): Promise<Person> {
  const person = new Person(service, { username })
  await counted(201, person.register())
  await counted(200, person.setUp())
  await inTime(person)
  return person
}

/** Signs in over and over with a new code, refreshes, reads, mistypes, and often forgets to sign out. */
async function live(person: Person): Promise<void> {
  for (let turn = 1; !ended; turn += 1) {
    await nextStep()
    await counted(200, person.logIn())
    if (turn % 5 === 0) await counted(422, person.verify('000000'))
    await inTime(person)
    for (let use = 0; use < 3; use += 1) await counted(200, person.refresh())
    await counted(200, service.get('/me', person.accessToken))
    await counted(200, service.get('/me/events', person.accessToken))
    if (turn % 3 === 0) await counted(204, service.post('/logout', undefined, person.accessToken))
  }
}

/** The machine may be so slow that a code's time is over before it arrives: then the person signs in once more. */
async function inTime(person: Person): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    requests += 1
    const { status, text } = await person.verify(person.code(1))
    if (status === 200) return
    if (status !== 422 || tries === 8) throw new Error(`answered ${status}: ${text}`)
    await nextStep()
    if (tries % 3 === 0) await counted(200, person.logIn())
  }
}

/** A code is good once in 30 s of the clock. */
const nextStep = () => sleep((3 * 30_000) / SPEED)

type Sample = Record<string, number>

async function sample(): Promise<Sample> {
  const { rssBytes } = await server.usage('end')
  const db = new BetterSqlite3(file, { readonly: true })
  const rows = tables.map(({ name }) => [
    `rows of ${name}`,
    db.prepare(`select count(*) from ${name}`).pluck().get() as number,
  ])
  db.close()
  return {
    'memory, MiB': rssBytes / 2 ** 20,
    descriptors: readdirSync(`/proc/${server.pid}/fd`).length,
    'write-ahead log, KiB': statSync(`${file}-wal`).size / 1024,
    'database, KiB': statSync(file).size / 1024,
    ...Object.fromEntries(rows),
  }
}

const samples: Sample[] = []
try {
  const people: Person[] = []
  while (people.length < PEOPLE) people.push(await enrol(`soak-${people.length}`))
  const lives = Promise.all(people.map(live))
  for (let turn = 0; turn < SAMPLES; turn += 1) {
    await Promise.race([sleep((minutes * 60_000) / SAMPLES), lives])
    samples.push(await sample())
  }
  ended = true
  await lives
} finally {
  await server.stop()
  rmSync(folder, { recursive: true, force: true })
}

const peak = (which: 0 | 1 | 2, name: string) =>
  Math.max(
    ...samples.slice((which * SAMPLES) / 3, ((which + 1) * SAMPLES) / 3).map((each) => each[name] ?? 0),
  )
const verdicts = Object.keys(samples[0] ?? {}).map((name) => {
  const [first, middle, last] = [peak(0, name), peak(1, name), peak(2, name)]
  return { name, first, middle, last, level: last <= middle * TOLERANCE + 2 }
})
const lines = verdicts
  .filter(({ last, middle }) => last > 0 || middle > 0)
  .map(({ name, first, middle, last, level }) => [
    name,
    ...[first, middle, last].map(number),
    level ? 'level' : 'GROWS',
  ])
console.log(
  `${describeMachine()}; ${requests.toLocaleString('en')} requests in ${minutes} min, ${number((minutes * SPEED) / 60)} hours by the clock`,
)
console.log(table(['peak of', 'first third', 'middle third', 'last third', ''], lines))
process.exitCode = verdicts.every(({ level }) => level) ? 0 : 1
