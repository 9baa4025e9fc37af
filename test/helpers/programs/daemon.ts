import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { eventually } from '../requests/eventually.ts'
import type { Lifetime } from './process.ts'

/**
 * Starts a server program that stays in the foreground, and ends it with the test.
 *
 * @param answers whether it takes requests now.
 */
export async function startDaemon(
  t: Lifetime,
  [program = '', ...args]: readonly string[],
  answers: () => Promise<boolean>,
): Promise<void> {
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'] })
  let log = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    log += text
  })
  const exited = once(child, 'exit')
  t.teardown(async () => {
    child.kill('SIGTERM')
    await exited
  })
  await eventually(`${program} answers`, () => {
    if (child.exitCode !== null) throw new Error(`${program} did not start:\n${log}`)
    return answers()
  })
}
