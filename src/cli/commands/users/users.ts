import type { Command } from 'commander'
import { registerChange, registerExportOne, registerSetRoles } from './change.ts'
import { registerCreate, registerReset2fa } from './enrol.ts'
import { registerList, registerPaused, registerShow } from './look.ts'
import { registerRename, registerSetEmail } from './name.ts'

export function registerUsers(program: Command): void {
  const users = program
    .command('users')
    .description('list, create, change and delete accounts; help people who are locked out')
  for (const register of [
    ...[registerList, registerShow, registerPaused, registerCreate],
    ...[
      registerReset2fa,
      registerRename,
      registerSetEmail,
      registerSetRoles,
      registerChange,
      registerExportOne,
    ],
  ])
    register(users)
}
