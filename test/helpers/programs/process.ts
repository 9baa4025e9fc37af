import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Test } from 'tap'
import { newDatabase } from '../service/database.ts'
import { CHEAP_HASHES } from '../service/service.ts'
import { type Command, type Lifetime, runCommand } from './command.ts'
import { freePort } from './free-port.ts'
import { type Remote, remote } from './remote.ts'

export type { Lifetime } from './command.ts'

/** Longer than any end takes, on a machine that is ten times slower too. */
const STOP_PATIENCE_MS = 60_000

/** The real server as a process of its own, reached over the network; its clock is the machine's. */
export interface ServerProcess extends Remote, Command {
  url: string
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
 * Starts `keyturn serve`, on a free port if none is given, and waits until it is ready.
 *
 * @param under a command that runs another one, and its options.
 * @param command another one that listens as `keyturn serve` does.
 */
export async function startProcess(
  t: Lifetime,
  environment: Record<string, string>,
  {
    under = [],
    command: [script, ...args] = ['src/cli/keyturn.js', 'serve'],
  }: { under?: readonly string[]; command?: readonly [string, ...string[]] } = {},
): Promise<ServerProcess> {
  const PORT = environment.PORT ?? String(await freePort())
  const url = `http://127.0.0.1:${PORT}`
  const command = runCommand(
    t,
    [script, ...args],
    { RATE_LIMIT: 'off', ...CHEAP_HASHES, ...environment, PORT },
    { under },
  )
  let ended = false
  const end = command.ended.then(({ code }) => {
    ended = true
    return code
  })
  const stop = async (signal: NodeJS.Signals = 'SIGINT') => {
    if (!ended) command.signal(signal)
    const kill = setTimeout(() => command.signal('SIGKILL'), STOP_PATIENCE_MS)
    return end.finally(() => clearTimeout(kill))
  }
  t.teardown(() => stop())

  while (!(await isReady(url))) {
    if (ended) throw new Error(`The server did not start:\n${command.output()}`)
    await sleep(25)
  }
  return { ...command, ...remote(url), url, stop }
}

async function isReady(url: string): Promise<boolean> {
  return fetch(`${url}/readyz`).then(
    ({ ok }) => ok,
    () => false,
  )
}
