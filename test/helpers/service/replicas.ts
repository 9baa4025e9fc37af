import type { Test } from 'tap'
import { RATE_LIMITS } from '../../../src/http/rate-limits.ts'
import { eventually } from '../requests/eventually.ts'
import { type Service, startService } from './service.ts'

/** What one address may do in a minute, at all replicas together: logins. */
export const LIMIT = RATE_LIMITS.login

/** Replicas of one service on one database, which count together in one Redis and have heard of each other. */
export async function startReplicas(t: Test, redisUrl: string, count = 2): Promise<Service[]> {
  const environment = { RATE_LIMIT: 'on', REDIS_URL: redisUrl }
  const first = await startService(t, { environment })
  const { databaseUrl } = first
  const replicas = [first]
  while (replicas.length < count) replicas.push(await startService(t, { environment, databaseUrl }))
  const heardOfAll = ({ deps }: Service) => deps.sharedCounts?.replicas() === count
  if (first.deps.sharedCounts?.state() === 'ok')
    await eventually('all are heard of', () => replicas.every(heardOfAll))
  return replicas
}

/** An empty login from this address. */
export function knock(service: Service, peer = '192.0.2.1') {
  return service.post('/login', {}, undefined, { remoteAddress: peer })
}

/** Knocks at one replica after another. @returns how often each let it in. */
export async function knocks(replicas: readonly Service[], times: number, peer?: string) {
  const allowed = replicas.map(() => 0)
  for (let turn = 0; turn < times; turn++) {
    const at = turn % replicas.length
    const { status } = await knock(replicas[at] as Service, peer)
    if (status === 400) allowed[at] = (allowed[at] ?? 0) + 1
    else if (status !== 429) throw new Error(`answered ${status}`)
  }
  return { allowed, total: allowed.reduce((sum, one) => sum + one, 0) }
}

/** What `/readyz` says of the parts. */
export async function checksOf(service: Service): Promise<{ database: string; redis?: string }> {
  const { body } = await service.get('/readyz', undefined, { remoteAddress: '192.0.2.99' })
  return body.checks
}

/** Waits until `/readyz` of each says so. */
export async function allSay(replicas: readonly Service[], redis: 'ok' | 'unavailable'): Promise<void> {
  await eventually(`/readyz says that Redis is ${redis}`, async () => {
    const checks = await Promise.all(replicas.map(checksOf))
    return checks.every((check) => check?.redis === redis)
  })
}

/** The lines that a replica has logged about Redis. */
export function linesAboutRedis({ logLines }: Service): { level: string; msg: string; reason?: string }[] {
  return logLines.map((line) => JSON.parse(line)).filter(({ msg }) => /^Redis /.test(msg))
}
