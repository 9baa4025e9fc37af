import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'
import { childOptions } from './child-environment.ts'
import { newDatabase } from './database.ts'
import { freePort } from './free-port.ts'
import { type Remote, remote } from './remote.ts'
import { CHEAP_HASHES } from './service.ts'

const SERVER = fileURLToPath(new URL('../../src/server.ts', import.meta.url))

/** What is started ends with it: a test, for example. */
export type Lifetime = Pick<Test, 'teardown'>

const START_PATIENCE_MS = 60_000
const STOP_PATIENCE_MS = 12_000

/** The real server as a process of its own, reached over the network; its clock is the machine's. */
export interface ServerProcess extends Remote {
  url: string
  pid: number
  /** Everything it wrote so far, to either stream. */
  output(): string
  /** Ends it as an operator would and waits. @returns its exit code, `null` when it had to be killed. */
  stop(signal?: NodeJS.Signals): Promise<number | null>
}

/** What processes must share to be one service. */
export async function sharedEnvironment(t: Test): Promise<Record<string, string>> {
  return {
    DATABASE_URL: await newDatabase(t),
    SECRET_KEY: randomBytes(32).toString('base64'),
    ISSUER: 'https://id.example.com',
  }
}

/**
 * Starts `src/server.ts`, on a free port if none is given, and waits until it says that it is ready.
 *
 * @param under a command that runs another one, and its options.
 */
export async function startProcess(
  t: Lifetime,
  environment: Record<string, string>,
  { under = [] }: { under?: readonly string[] } = {},
): Promise<ServerProcess> {
  const port = environment.PORT ?? (await freePort())
  const url = `http://127.0.0.1:${port}`
  // By way of env, so that the test runner does not put its own instruments into the process.
  const child = spawn('env', ['-u', 'NODE_OPTIONS', ...under, process.execPath, SERVER], {
    ...childOptions({ RATE_LIMIT: 'off', ...CHEAP_HASHES, ...environment, PORT: String(port) }),
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const exited = once(child, 'exit')
  const output = collect(child)

  const stop = async (signal: NodeJS.Signals = 'SIGINT') => {
    if (running(child)) child.kill(signal)
    const kill = setTimeout(() => child.kill('SIGKILL'), STOP_PATIENCE_MS)
    await exited
    clearTimeout(kill)
    return child.exitCode
  }
  t.teardown(() => stop())

  const deadline = Date.now() + START_PATIENCE_MS
  while (!(await isReady(url))) {
    if (!running(child) || Date.now() > deadline) throw new Error(`The server did not start:\n${output()}`)
    await new Promise((resolve) => setTimeout(resolve, 25))
  }

  return { ...remote(url), url, pid: child.pid as number, output, stop }
}

function running(child: ChildProcess): boolean {
  return child.exitCode === null && child.signalCode === null
}

function collect(child: ChildProcess): () => string {
  let text = ''
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
    })
  return () => text
}

async function isReady(url: string): Promise<boolean> {
  return fetch(`${url}/readyz`).then(
    ({ ok }) => ok,
    () => false,
  )
}
