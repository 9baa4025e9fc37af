import type { Test } from 'tap'
import { freePort } from '../programs/free-port.ts'
import { type MailingService, type Service, type ServiceOptions, startService, testClock } from './service.ts'

/** A service that listens at its issuer's address, under a clock that agrees with other programs. */
export function startListening(
  t: Test,
  options: ServiceOptions & { mail: true },
): Promise<MailingService & { issuer: string }>
export function startListening(t: Test, options?: ServiceOptions): Promise<Service & { issuer: string }>
export async function startListening(
  t: Test,
  options: ServiceOptions = {},
): Promise<Service & { issuer: string }> {
  const port = await freePort()
  const issuer = `http://127.0.0.1:${port}`
  const clock = options.clock ?? testClock(Date.now())
  const environment = { ...options.environment, ISSUER: issuer }
  const service = await startService(t, { ...options, clock, environment })
  await service.app.listen({ port, host: '127.0.0.1' })
  return { ...service, issuer }
}
