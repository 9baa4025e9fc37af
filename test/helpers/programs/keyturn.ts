import type { Test } from 'tap'
import { CHEAP_HASHES } from '../service/service.ts'
import { type Ended, runCommand } from './command.ts'

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

export function keyturnOn(t: Test, environment: Record<string, string>): Keyturn {
  const run = (args: string[], input?: string) =>
    runCommand(
      t,
      ['src/cli/cli.ts', ...args],
      { ...CHEAP_HASHES, ...environment },
      { ...(input !== undefined && { input }) },
    ).ended
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
