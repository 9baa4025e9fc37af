import type { Command } from 'commander'
import { registerChange } from './change.ts'
import { registerCreate } from './create.ts'
import { registerExportOne } from './export.ts'
import { registerList } from './list.ts'
import { registerPaused } from './paused.ts'
import { registerReset2fa } from './reset-2fa.ts'
import { registerSetRoles } from './set-roles.ts'
import { registerShow } from './show.ts'

export function registerUsers(program: Command): void {
  const users = program
    .command('users')
    .description('accounts: look, make, close, delete, help those locked out')
  for (const register of [
    ...[registerList, registerShow, registerPaused, registerCreate],
    ...[registerReset2fa, registerSetRoles, registerChange, registerExportOne],
  ])
    register(users)
}
