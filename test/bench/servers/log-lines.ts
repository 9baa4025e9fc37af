/** Writes lines as a service does that answers so many requests in each turn of its event loop, when it is asked to. */
import { setImmediate } from 'node:timers/promises'
import { makeLogger } from '../../../src/platform/logger.ts'

const logger = makeLogger('info')

process.on('message', async (asked: { turns: number; linesATurn: number } | string) => {
  if (typeof asked === 'string') return
  const { turns, linesATurn } = asked
  const before = process.cpuUsage()
  for (let turn = 0; turn < turns; turn += 1) {
    for (let line = 0; line < linesATurn; line += 1)
      logger.info(
        { requestId: 'req-1', method: 'GET', route: '/me', status: 200, ip: '203.0.113.7', ms: 0.4 },
        'request',
      )
    await setImmediate()
  }
  const { user, system } = process.cpuUsage(before)
  process.send?.({ usEach: (user + system) / turns / linesATurn })
})
// There is nothing else to wait for.
process.channel?.ref()
process.send?.('ready')
