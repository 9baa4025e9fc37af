import { setTimeout as sleep } from 'node:timers/promises'
import type { Test } from 'tap'
import { RememberingPerson } from '../people/remembering.ts'
import { type ServerProcess, sharedEnvironment, startProcess } from '../programs/process.ts'
import { remote } from '../programs/remote.ts'
import { checkDatabaseFile } from '../service/invariants.ts'
import type { Reachable } from '../service/service.ts'

const PEOPLE = 4

/** So many changes of each service are acknowledged in a life at most, before it is killed at the next ones. */
const MOST_CHANGES = 12
/** Longer than a request takes. */
const MOMENT_MS = 30

/** A person, and the service that the person uses. */
type Inhabitant = readonly [RememberingPerson, Reachable]

/**
 * Kills a service at random moments while people change things, as the system does it to a process that it has no
 * memory for. After each start they insist on what they were told.
 *
 * @param services so many in one process, each on a database of its own; `keyturn serve` where it is one.
 * @returns how many changes were acknowledged, and the slowest start in milliseconds.
 */
export async function killAgainAndAgain(
  t: Test,
  kills: number,
  services = 1,
): Promise<{ acknowledged: number; slowestStart: number }> {
  const paths = Array.from({ length: services }, (_, index) => `${t.testdir()}/keyturn-${index}.db`)
  const databases = paths.map((path) => `sqlite:${path}`)
  const environment = {
    ...(await sharedEnvironment(t)),
    DATABASE_URL: databases[0] as string,
    LOG_LEVEL: 'error',
  }
  const command = ['test/helpers/programs/host.ts', ...databases] as const
  const people = databases.map(() => Array.from({ length: PEOPLE }, () => new RememberingPerson(t)))
  let slowestStart = 0
  const start = async () => {
    const startedAt = performance.now()
    const server = await startProcess(t, environment, services > 1 ? { command } : {})
    slowestStart = Math.max(slowestStart, performance.now() - startedAt)
    const inhabitants = people.flatMap((some, index) => {
      const service = services > 1 ? remote(`${server.url}/${index}`) : server
      return some.map((person): Inhabitant => [person, service])
    })
    for (const [person, service] of inhabitants) await person.insist(service)
    return { server, inhabitants }
  }

  for (let kill = 0; kill < kills; kill += 1) {
    const { server, inhabitants } = await start()
    await liveUntilKilled(server, inhabitants)
    t.equal(server.output(), '', 'and without an error')
  }
  const { server, inhabitants } = await start()
  for (const [person, service] of inhabitants) await person.signsIn(service)
  await server.stop()
  for (const path of paths) await checkDatabaseFile(path, server.output())
  return { acknowledged: acknowledgedBy(inhabitants), slowestStart }
}

function acknowledgedBy(inhabitants: readonly Inhabitant[]): number {
  return inhabitants.reduce((sum, [{ acknowledged }]) => sum + acknowledged, 0)
}

async function liveUntilKilled(server: ServerProcess, inhabitants: readonly Inhabitant[]): Promise<void> {
  let killed = false
  const lives = inhabitants.map(async ([person, service]) => {
    while (!killed)
      await person.act(service).catch((error) => {
        if (!killed) throw error
      })
  })
  const goal = acknowledgedBy(inhabitants) + Math.random() * (MOST_CHANGES / PEOPLE) * inhabitants.length
  while (acknowledgedBy(inhabitants) < goal) await sleep(2)
  await sleep(Math.random() * MOMENT_MS)
  killed = true
  await server.stop('SIGKILL')
  await Promise.all(lives)
}
