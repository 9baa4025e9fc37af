import type { Command } from 'commander'
import { registerCopy } from './copy.ts'
import { registerKeys } from './keys.ts'
import { registerMigrate } from './migrate.ts'

/** Adds one command, or a family of them, to the program. */
export type RegisterCommand = (program: Command) => void

/** Every command, in the order of the help: one file each. */
const commands: readonly RegisterCommand[] = [registerKeys, registerMigrate, registerCopy]

export function registerCommands(program: Command): void {
  for (const register of commands) register(program)
}
