import type { Config } from '../../config.ts'
import { loadArgon2Engine, OWASP_LEAST_WORK } from '../../crypto/argon2-engine.ts'
import { type Finding, findingsOf } from './finding.ts'

const { ok, warn } = findingsOf('passwords')

const SLOW_MS = 1_000
const ROUNDS = 3

/** Reports which library hashes, at what cost, and how long a hash takes here. */
export async function checkHashing({ hashEngine, argon2, hashConcurrency }: Config): Promise<Finding[]> {
  const engine = await loadArgon2Engine(hashEngine)
  await engine.hash('warm up', argon2)
  const startedAt = performance.now()
  for (let round = 0; round < ROUNDS; round += 1) await engine.hash('how long does it take', argon2)
  const ms = (performance.now() - startedAt) / ROUNDS

  const { memoryKib, passes, parallelism } = argon2
  const words = `argon2id m=${memoryKib},t=${passes},p=${parallelism} by ${engine.name}, ${ms.toFixed(0)} ms each, ${hashConcurrency} at a time`
  if (memoryKib * passes < OWASP_LEAST_WORK)
    return [warn(`${words}: cheaper than OWASP recommends`, 'Raise ARGON2_MEMORY_KIB or ARGON2_TIME.')]
  return [ms > SLOW_MS ? warn(`${words}: people wait`, 'Lower ARGON2_MEMORY_KIB or ARGON2_TIME.') : ok(words)]
}
