/**
 * A process of its own for whoever hammers `POST /login`: each client asks again as soon as it is answered, whatever
 * the answer says. It begins at once, counts from the first message on, and sends its figures at the second.
 * It stands for other machines: where it needs a core that the service needs too, it gives way.
 */
import { constants, setPriority } from 'node:os'
import { openConnection } from './connection.ts'
import { PASSWORD } from './seed.ts'

export interface FloodFigures {
  /** Answers by their status. */
  statuses: Record<string, number>
  /** How long each `503 overloaded` took to come. */
  refusalsMs: number[]
}

const [port, clients, accounts] = process.argv.slice(2, 5).map(Number) as [number, number, number]
const from = process.argv[5] ?? ''
let figures: FloodFigures = newFigures()

setPriority(constants.priority.PRIORITY_LOW)

/** Names of people; every other time the password of another. */
async function hammer(client: number): Promise<never> {
  const connection = await openConnection(port)
  const address = from.includes('::') ? from : `${from}:${client}::1`
  const headers = from ? { 'x-forwarded-for': address } : {}
  for (let turn = client; ; turn += clients) {
    const body = { username: `user${turn % accounts}`, password: turn % 2 ? PASSWORD : 'not this one' }
    const startedAt = performance.now()
    const { status } = await connection.send({ method: 'POST', path: '/login', body, headers })
    figures.statuses[status] = (figures.statuses[status] ?? 0) + 1
    if (status === 503) figures.refusalsMs.push(performance.now() - startedAt)
  }
}

process.once('message', () => {
  figures = newFigures()
  process.once('message', () => process.send?.(figures, undefined, undefined, () => process.exit()))
})
for (let client = 0; client < clients; client += 1) hammer(client)

function newFigures(): FloodFigures {
  return { statuses: {}, refusalsMs: [] }
}
