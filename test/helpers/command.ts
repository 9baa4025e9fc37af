import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'
import { childOptions } from './child-environment.ts'
import { freePort } from './free-port.ts'
import type { Lifetime } from './process.ts'
import { CHEAP_HASHES } from './service.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

export interface Ended {
  /** `null` when a signal ended it. */
  code: number | null
  stdout: string
  stderr: string
}

/** A script of this project as a process of its own. */
export interface Command {
  /** The first line of standard output that has this in it. */
  line(text: string): Promise<string>
  ended: Promise<Ended>
  signal(name: NodeJS.Signals): void
}

/**
 * Runs `node <script> …` under this environment and nothing of the test's own. It does not outlive the test.
 *
 * @param uid the user to run as; only root may say so.
 * @param input what it reads from stdin; without it there is none.
 */
export function runCommand(
  t: Lifetime,
  [script, ...args]: [string, ...string[]],
  environment: Record<string, string> = {},
  { uid, input }: { uid?: number; input?: string } = {},
): Command {
  // By way of env, so that the test runner does not put its own instruments into the process.
  const child = spawn('env', ['-u', 'NODE_OPTIONS', process.execPath, `${ROOT}/${script}`, ...args], {
    ...childOptions(environment),
    stdio: ['pipe', 'pipe', 'pipe'],
    ...(uid !== undefined && { uid }),
  })
  // A command may end without reading it.
  child.stdin.on('error', () => {})
  child.stdin.end(input)
  t.teardown(() => child.kill('SIGKILL'))
  const output = { stdout: '', stderr: '' }
  // However many wait for a line, each word is listened for once.
  let nextWord = Promise.withResolvers<void>()
  const wakeAll = () => {
    nextWord.resolve()
    nextWord = Promise.withResolvers()
  }
  for (const name of ['stdout', 'stderr'] as const)
    child[name].setEncoding('utf8').on('data', (text: string) => {
      output[name] += text
      wakeAll()
    })
  let closed = false
  const ended = once(child, 'close').then(([code]) => {
    closed = true
    wakeAll()
    return { code, ...output }
  })
  return {
    ended,
    signal: (name) => void child.kill(name),
    async line(text) {
      for (;;) {
        const said = output.stdout.split('\n').slice(0, -1)
        const found = said.find((line) => line.includes(text))
        if (found !== undefined) return found
        if (closed)
          throw new Error(`The process ended before it said "${text}": ${output.stderr}${output.stdout}`)
        await nextWord.promise
      }
    },
  }
}

/** The service as a process of its own, once it is ready. */
export async function startServer(
  t: Test,
  environment: Record<string, string>,
): Promise<Command & { url: string }> {
  const port = String(await freePort())
  const command = runCommand(t, ['src/server.ts'], {
    PORT: port,
    RATE_LIMIT: 'off',
    ...CHEAP_HASHES,
    ...environment,
  })
  await command.line('"msg":"ready"')
  return { ...command, url: `http://127.0.0.1:${port}` }
}
