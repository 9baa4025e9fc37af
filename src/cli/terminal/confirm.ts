import { createInterface } from 'node:readline/promises'
import type { Command } from 'commander'
import { CommandFailed, Misused } from './failures.ts'

/**
 * Asks before an operation that cannot be undone; `--yes` skips the question.
 *
 * @throws {Misused} when there is no terminal to ask at.
 * @throws {CommandFailed} when the answer is not yes.
 */
export async function confirm(command: Command, question: string): Promise<void> {
  if (command.optsWithGlobals().yes) return
  if (!process.stdin.isTTY) throw new Misused(`${question} Without a terminal, say so with --yes.`)
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  const reply = await terminal.question(`${question} [y/N] `).finally(() => terminal.close())
  if (!/^y(es)?$/i.test(reply.trim())) throw new CommandFailed('Nothing was done.')
}
