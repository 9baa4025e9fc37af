import type { Command } from 'commander'
import { registerAudit } from './audit.ts'
import { registerBackup, registerRestore } from './backup.ts'
import { registerClients } from './clients.ts'
import { registerCopy } from './copy.ts'
import { registerDoctor } from './doctor.ts'
import { registerExport } from './export.ts'
import { registerImport } from './import.ts'
import { registerInit } from './init.ts'
import { registerKeys } from './keys.ts'
import { registerMails } from './mails.ts'
import { registerMigrate } from './migrate.ts'
import { registerOpenapi } from './openapi.ts'
import { registerServe } from './serve.ts'
import { registerSessions } from './sessions.ts'
import { registerTune } from './tune.ts'
import { registerUsers } from './users/users.ts'

/** Adds one command, or a group of commands, to the program. */
export type RegisterCommand = (program: Command) => void

/** Every command, in the order of the help. Each has a file. */
const commands: readonly RegisterCommand[] = [
  registerServe,
  registerInit,
  registerUsers,
  registerSessions,
  registerClients,
  registerAudit,
  registerImport,
  registerExport,
  registerKeys,
  registerMigrate,
  registerBackup,
  registerRestore,
  registerCopy,
  registerDoctor,
  registerTune,
  registerMails,
  registerOpenapi,
]

export function registerCommands(program: Command): void {
  for (const register of commands) register(program)
}
