import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { CHEAP_HASHES } from '../service/service.ts'
import { childOptions } from './child-environment.ts'
import type { Ended } from './command.ts'
import type { Order } from './warm-command-line.ts'

/** The command line as an operator uses it, on the database and with the settings of a service. */
export interface Keyturn {
  (...args: string[]): Promise<Ended>
  /** With this on stdin, which is no terminal. */
  withInput(input: string, ...args: string[]): Promise<Ended>
  /** What it answers with `--json`. @throws when it fails. */
  // biome-ignore lint/suspicious/noExplicitAny: a test looks into any answer
  json(...args: string[]): Promise<any>
  /** The events of an account by now, the oldest first. */
  events(...args: string[]): Promise<Record<string, string | null>[]>
}

export function keyturnOn(environment: Record<string, string>): Keyturn {
  const run = (args: string[], input?: string) => runWarm(args, { ...CHEAP_HASHES, ...environment }, input)
  const succeed = async (args: string[]) => {
    const { code, stdout, stderr } = await run(args)
    if (code !== 0) throw new Error(`keyturn ${args.join(' ')} ended with ${code}: ${stderr}`)
    return stdout
  }
  return Object.assign((...args: string[]) => run(args), {
    withInput: (input: string, ...args: string[]) => run(args, input),
    json: async (...args: string[]) => JSON.parse(await succeed([...args, '--json'])),
    events: async (...args: string[]) =>
      (await succeed(['audit', ...args, '--json']))
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line)),
  })
}

/** One for each user. */
const warm = new Map<number | undefined, Promise<ChildProcess>>()
let turn: Promise<unknown> = Promise.resolve()

/**
 * Runs `keyturn …` as `runCommand` does, but in a process that has loaded it all before: one command at a time, and never
 * in the process of the test. Of `serve` only a start that is refused; its log is not in the output.
 *
 * @param uid the user to run as; only root may say so.
 */
export function runWarm(
  args: string[],
  environment: Record<string, string> = {},
  input = '',
  uid?: number,
): Promise<Ended> {
  const ended = turn.then(async () => {
    const child = warm.get(uid) ?? startWarm(uid)
    warm.set(uid, child)
    const order: Order = { args, environment: childOptions(environment).env, input }
    return ask(await child, order)
  })
  turn = ended.catch(() => {
    warm.delete(uid)
  })
  return ended
}

async function startWarm(uid?: number): Promise<ChildProcess> {
  const script = fileURLToPath(new URL('warm-command-line.ts', import.meta.url))
  // By way of env, so that the test runner does not put its own instruments into the process.
  const child = spawn('env', ['-u', 'NODE_OPTIONS', process.execPath, script], {
    ...childOptions({}),
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    ...(uid !== undefined && { uid }),
  })
  await answerOf(child)
  return child
}

async function ask(child: ChildProcess, order: Order): Promise<Ended> {
  child.ref()
  child.channel?.ref()
  child.send(order)
  return (await answerOf(child)) as Ended
}

/** It ends with this process, which does not wait for it between two commands. */
async function answerOf(child: ChildProcess): Promise<unknown> {
  const ended = new AbortController()
  try {
    const [answer] = await Promise.race([
      once(child, 'message', ended),
      once(child, 'exit', ended).then(() => Promise.reject(new Error('The command line broke off.'))),
    ])
    return answer
  } finally {
    ended.abort()
    child.unref()
    child.channel?.unref()
  }
}
