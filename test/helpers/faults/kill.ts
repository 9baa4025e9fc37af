import { setTimeout as sleep } from 'node:timers/promises'
import type { Test } from 'tap'
import { RememberingPerson } from '../people/remembering.ts'
import { type ServerProcess, sharedEnvironment, startProcess } from '../programs/process.ts'
import { checkDatabaseFile } from '../service/invariants.ts'

const PEOPLE = 4

/** So many changes are acknowledged in a life of the service at most, before it is killed at the next ones. */
const MOST_CHANGES = 12
/** Longer than a request takes. */
const MOMENT_MS = 30

/**
 * Kills a service at random moments while people change things, as the system does it to a process that it has no
 * memory for. After each start they insist on what they were told.
 *
 * @returns how many changes were acknowledged, and the slowest start in milliseconds.
 */
export async function killAgainAndAgain(
  t: Test,
  name: string,
  kills: number,
): Promise<{ acknowledged: number; slowestStart: number }> {
  const path = `${t.testdir()}/${name}.db`
  const environment = { ...(await sharedEnvironment(t)), DATABASE_URL: `sqlite:${path}`, LOG_LEVEL: 'error' }
  const people = Array.from({ length: PEOPLE }, () => new RememberingPerson(t))
  let slowestStart = 0
  const start = async () => {
    const startedAt = performance.now()
    const server = await startProcess(t, environment)
    slowestStart = Math.max(slowestStart, performance.now() - startedAt)
    for (const person of people) await person.insist(server)
    return server
  }

  for (let kill = 0; kill < kills; kill += 1) {
    const server = await start()
    await liveUntilKilled(server, people)
    t.equal(server.output(), '', 'and without an error')
  }
  const last = await start()
  for (const person of people) await person.signsIn(last)
  await last.stop()
  await checkDatabaseFile(path, last.output())
  return { acknowledged: acknowledgedBy(people), slowestStart }
}

function acknowledgedBy(people: readonly RememberingPerson[]): number {
  return people.reduce((sum, { acknowledged }) => sum + acknowledged, 0)
}

async function liveUntilKilled(server: ServerProcess, people: readonly RememberingPerson[]): Promise<void> {
  let killed = false
  const lives = people.map(async (person) => {
    while (!killed)
      await person.act(server).catch((error) => {
        if (!killed) throw error
      })
  })
  const goal = acknowledgedBy(people) + Math.random() * MOST_CHANGES
  while (acknowledgedBy(people) < goal) await sleep(2)
  await sleep(Math.random() * MOMENT_MS)
  killed = true
  await server.stop('SIGKILL')
  await Promise.all(lives)
}
