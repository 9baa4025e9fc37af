import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
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

/** One that may enter every folder as root may, and one that may not. */
const warm = new Map<boolean, Promise<ChildProcess>>()
let turn: Promise<unknown> = Promise.resolve()

/**
 * Runs `keyturn …` as `runCommand` does, but in a process that has loaded it all before: one command at a time, and never
 * in the process of the test. Of `serve` only a start that is refused; its log is not in the output.
 *
 * @param closable whether a folder that is closed to its owner is closed to it, also where root runs it.
 */
export function runWarm(
  args: string[],
  environment: Record<string, string> = {},
  input = '',
  closable = false,
): Promise<Ended> {
  const ended = turn.then(async () => {
    const child = warm.get(closable) ?? startWarm(closable)
    warm.set(closable, child)
    const order: Order = { args, environment: childOptions(environment).env, input }
    return ask(await child, order)
  })
  turn = ended.catch(() => {
    warm.delete(closable)
  })
  return ended
}

const WARM = fileURLToPath(new URL('warm-command-line.ts', import.meta.url))

/** Takes from root what lets it read and write every file (capabilities(7)). Others need nothing. */
const RIGHTS = '-dac_override,-dac_read_search'
const WITHOUT_RIGHTS =
  process.getuid?.() === 0 ? ['setpriv', `--bounding-set=${RIGHTS}`, `--inh-caps=${RIGHTS}`] : []

/** Why no folder can be closed to a command here; `false` where one can. */
export function notClosable(): string | false {
  const [program = '', ...args] = [...WITHOUT_RIGHTS, 'cat', WARM]
  if (spawnSync(program, args, { stdio: 'ignore' }).status === 0) return false
  return 'NOT TESTED: setpriv cannot take rights from root (Debian: util-linux), or the checkout is not of root'
}

async function startWarm(closable: boolean): Promise<ChildProcess> {
  // By way of env, so that the test runner does not put its own instruments into the process.
  const run = ['env', '-u', 'NODE_OPTIONS', process.execPath, WARM]
  const [program = '', ...args] = closable ? [...WITHOUT_RIGHTS, ...run] : run
  const child = spawn(program, args, {
    ...childOptions({}),
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
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
