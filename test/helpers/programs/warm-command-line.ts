import { Readable, Writable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { reserveHashThreads } from '../../../src/crypto/thread-pool.ts'
import type { Ended } from './command.ts'

/**
 * Runs commands one after the other, each as a process of its own would (src/cli/cli.ts, src/server.ts): under its own
 * environment, and done when nothing of it runs any more. Loading the command line takes longer than most commands.
 */

/** One command. */
export interface Order {
  args: string[]
  /** All of it. */
  environment: Record<string, string | undefined>
  input: string
}

let written = { stdout: '', stderr: '' }
for (const name of ['stdout', 'stderr'] as const) {
  const stream = new Writable({
    decodeStrings: false,
    write(text, _encoding, done) {
      written[name] += text
      done()
    },
  })
  Object.defineProperty(process, name, { value: stream })
}

// Whatever a command has the process listen for stays.
process.setMaxListeners(0)
const hashThreads = reserveHashThreads(process.env)
const { runCommandLine } = await import('../../../src/cli/command-line.ts')
const { main } = await import('../../../src/main.ts')

process.on('message', async (order: Order) => process.send?.(await run(order)))
const atFirst = running().length
process.send?.('ready')

async function run({ args, environment, input }: Order): Promise<Ended> {
  for (const name of Object.keys(process.env)) delete process.env[name]
  Object.assign(process.env, environment)
  Object.defineProperty(process, 'stdin', {
    value: Readable.from(input === '' ? [] : [Buffer.from(input)], { objectMode: false }),
    configurable: true,
  })
  written = { stdout: '', stderr: '' }
  process.exitCode = undefined
  const code =
    args.join() === 'serve' ? await serve() : await runCommandLine([process.execPath, 'keyturn', ...args])
  process.exitCode = undefined
  for (let wait = 0; running().length > atFirst; wait += 1) {
    if (wait === 6000) throw new Error(`keyturn ${args.join(' ')} would not end: ${running().join(', ')}`)
    await sleep(10)
  }
  return { code, ...written }
}

/** For a start that is refused. */
async function serve(): Promise<number> {
  await main({ hashThreads })
  return Number(process.exitCode ?? 0)
}

/** What would keep a process from ending. */
function running(): string[] {
  return process.getActiveResourcesInfo()
}
