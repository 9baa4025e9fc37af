import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import type { Keyturn, Scenario } from './keyturn.ts'
import { type MeasuredProcess, startMeasured } from './measured-process.ts'
import { installBetterAuth, type PeerHash, startBetterAuth } from './peers/better-auth.ts'
import { findDjango, startDjango } from './peers/django.ts'
import type { Peer, PeerScenario } from './peers/peer.ts'
import { measureSlice, pausing, type Slice, type Step } from './slice.ts'

export interface Load {
  clients: number
  seconds: number
}

/** One thing that is measured, a short stretch at a time. */
export interface Subject {
  id: string
  label: string
  slice(load: Load): Promise<Slice>
}

/** Processes that are up for the whole of the measurement, to be ended after it. */
export interface Subjects {
  list: Subject[]
  stop(): Promise<void>
}

/** So many steps that no slice runs out of what was prepared for it. */
const FIRST_GUESS_PER_SECOND = 400
const MARGIN = 2

/** Prepares for as many steps as the slices before let expect. */
function driven(
  id: string,
  label: string,
  server: MeasuredProcess,
  prepare: (most: number) => Promise<Step>,
): Subject {
  let fastest = FIRST_GUESS_PER_SECOND
  return {
    id,
    label,
    async slice(load) {
      const step = await prepare(Math.ceil(fastest * MARGIN * (load.seconds + 0.5)))
      const slice = await measureSlice(server, step, load)
      fastest = Math.max(fastest, slice.steps / slice.seconds)
      return slice
    },
  }
}

const SCENARIO_LABELS: Record<Scenario, string> = {
  login: '`POST /login`',
  verify: '`POST /2fa/verify`',
  passkey: '`POST /2fa/verify` by passkey',
  flow: 'full flow: login, then verify',
  refresh: '`POST /token/refresh`',
  introspect: '`POST /token/introspect`',
  me: '`GET /me`',
  document: 'a public document, compressed',
  enrolment: 'enrolment: register, setup, verify',
}

export function productSubjects(keyturn: Keyturn): Subject[] {
  return Object.entries(SCENARIO_LABELS).map(([scenario, label]) =>
    driven(scenario, label, keyturn.server, (most) => keyturn.prepare(scenario as Scenario, most)),
  )
}

const script = (name: string) => fileURLToPath(new URL(`servers/${name}`, import.meta.url))

/** The hash alone, by a process that does nothing else. */
export async function rawHash(folder: string): Promise<Subjects> {
  const hasher = await startMeasured({
    command: [script('raw-hash.ts')],
    environment: {},
    cwd: folder,
    logFile: `${folder}/raw-hash.log`,
    ready: null,
  })
  const hash = (count: 'start' | 'read' | 'stop') => hasher.ask<{ steps: number }>({ count })
  const slice = async ({ seconds }: Load): Promise<Slice> => {
    await hash('start')
    await pausing(300)
    const usage = await hasher.usage('begin')
    const [before, startedAt] = [await hash('read'), performance.now()]
    await pausing(seconds * 1000)
    const [after, elapsed] = [await hash('read'), (performance.now() - startedAt) / 1000]
    const used = await hasher.usage('end')
    await hash('stop')
    await pausing(100)
    const steps = after.steps - before.steps
    return {
      steps,
      seconds: elapsed,
      latenciesMs: [],
      cpuMs: used.cpuMs - usage.cpuMs,
      rssBytes: used.rssBytes,
      delayP99Ms: used.delayP99Ms,
    }
  }
  return {
    list: [{ id: 'raw-hash', label: 'argon2id alone, same parameters, as many at once as cores', slice }],
    stop: hasher.stop,
  }
}

/** Fastify with next to nothing behind it. */
export async function bareRoutes(folder: string): Promise<Subjects> {
  const server = await startMeasured({
    command: [script('bare.ts')],
    environment: { DATABASE_FILE: `${folder}/bare.db` },
    cwd: folder,
    logFile: `${folder}/bare.log`,
    ready: '/bare',
  })
  let turn = 0
  const next = () => ({ id: (turn++ * 7919) % 10_000 })
  const steps: [string, string, Step][] = [
    ['bare', 'bare Fastify route', async (c) => void (await c.send({ method: 'GET', path: '/bare' }))],
    [
      'bare-read',
      'bare route, one read',
      async (c) => void (await c.send({ method: 'POST', path: '/read', body: next() })),
    ],
    [
      'bare-write',
      'bare route, one read and one durable write',
      async (c) => void (await c.send({ method: 'POST', path: '/write', body: next() })),
    ],
  ]
  return {
    list: steps.map(([id, label, step]) => driven(id, label, server, async () => step)),
    stop: server.stop,
  }
}

/** The libraries of the service with one route. */
export function startLibraries(folder: string, nodeOptions: readonly string[]): Promise<MeasuredProcess> {
  return startMeasured({
    command: [...nodeOptions, script('libraries.mjs')],
    environment: {},
    cwd: folder,
    logFile: `${folder}/libraries.log`,
    ready: '/bare',
  })
}

const PEER_LABELS: Record<PeerScenario, string> = {
  login: 'login',
  flow: 'full flow',
  verify: 'verify a code',
}

/** @param mostVerifies where `verify` is one of them: a slice needs no more, and each takes a login before it. */
function peerSubjects(
  id: string,
  name: string,
  peer: Peer,
  scenarios: readonly PeerScenario[],
  mostVerifies = 0,
): Subject[] {
  return scenarios.map((scenario) =>
    driven(`${id}-${scenario}`, `${name}: ${PEER_LABELS[scenario]}`, peer.server, (most) =>
      peer.prepare(scenario, scenario === 'verify' ? Math.min(most, mostVerifies) : most),
    ),
  )
}

/** Both ways of hashing; verifying a code has nothing to do with the hash and is measured once. */
async function betterAuth(folder: string): Promise<Subjects> {
  const version = installBetterAuth()
  const start = (hash: PeerHash) => startBetterAuth(`${folder}/better-auth-${hash}`, hash, 1000)
  const [shipped, argon2] = [await start('shipped'), await start('argon2')]
  const name = `Better Auth ${version}`
  return {
    list: [
      ...peerSubjects('peer', name, shipped, ['login', 'flow']),
      ...peerSubjects('peer-argon2', `${name} with @node-rs/argon2`, argon2, ['login', 'flow']),
      // It answers some two hundred a second.
      ...peerSubjects('peer', name, argon2, ['verify'], 800),
    ],
    async stop() {
      await Promise.all([shipped.server.stop(), argon2.server.stop()])
    },
  }
}

async function django(folder: string): Promise<Subjects> {
  const { django, djangoOtp } = findDjango()
  const peer = await startDjango(`${folder}/django`, 20_000)
  const name = `Django ${django} with django-otp ${djangoOtp}`
  return {
    // Each worker answers some two hundred a second.
    list: peerSubjects('django', name, peer, ['login', 'flow', 'verify'], 750 * availableParallelism()),
    stop: peer.server.stop,
  }
}

/** By the names that `--peer` takes. */
export const PEERS = new Map([
  ['better-auth', betterAuth],
  ['django', django],
])
