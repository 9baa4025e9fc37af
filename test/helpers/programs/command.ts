import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'
import { childOptions } from './child-environment.ts'

const ROOT = fileURLToPath(new URL('../../..', import.meta.url))

/** What is started ends with it: a test, for example. */
export type Lifetime = Pick<Test, 'teardown'>

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
  pid: number
  /** Everything it wrote so far, to either stream. */
  output(): string
}

/**
 * Runs `node <script> …` under this environment and nothing of the test's own. It does not outlive the test.
 *
 * @param uid the user to run as; only root may say so.
 * @param input what it reads from stdin; without it there is none.
 * @param under a command that runs this one, and its options.
 */
export function runCommand(
  t: Lifetime,
  [script, ...args]: [string, ...string[]],
  environment: Record<string, string> = {},
  { uid, input, under = [] }: { uid?: number; input?: string; under?: readonly string[] } = {},
): Command {
  // By way of env, so that the test runner does not put its own instruments into the process.
  const child = spawn(
    'env',
    ['-u', 'NODE_OPTIONS', ...under, process.execPath, `${ROOT}/${script}`, ...args],
    {
      ...childOptions(environment),
      stdio: ['pipe', 'pipe', 'pipe'],
      ...(uid !== undefined && { uid }),
    },
  )
  // A command may end without reading it.
  child.stdin.on('error', () => {})
  child.stdin.end(input)
  t.teardown(() => child.kill('SIGKILL'))
  const output = { stdout: '', stderr: '' }
  let both = ''
  // However many wait for a line, each word is listened for once.
  let nextWord = Promise.withResolvers<void>()
  const wakeAll = () => {
    nextWord.resolve()
    nextWord = Promise.withResolvers()
  }
  for (const name of ['stdout', 'stderr'] as const)
    child[name].setEncoding('utf8').on('data', (text: string) => {
      output[name] += text
      both += text
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
    pid: child.pid as number,
    output: () => both,
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
