import type { Command } from 'commander'
import { setRoles } from '../../../accounts/set-roles.ts'
import { RULE_OF_ROLES, sortedRoles } from '../../../values/roles.ts'
import { findAccount } from '../../find-account.ts'
import { operatorCaller } from '../../operator.ts'
import { withExistingService } from '../../surroundings.ts'
import { answer } from '../../terminal/answer.ts'
import { Misused } from '../../terminal/failures.ts'

const ABOUT = `
They take the place of those it had, and are the claim "roles" of its access tokens from the next refresh. A token from
before keeps its own until it expires. After keyturn sessions end ada, services that introspect refuse it at once.

Examples:
  keyturn users set-roles ada admin billing:read
  keyturn users set-roles ada`

export function registerSetRoles(users: Command): void {
  users
    .command('set-roles')
    .description('say which roles the access tokens of an account carry')
    .argument('<user>', 'username or id')
    .argument('[roles...]', 'all that it has from now on; none when they are left out')
    .addHelpText('after', ABOUT)
    .action(async (user: string, names: string[], _options, command: Command) => {
      const roles = sortedRoles(names)
      if (!roles) throw new Misused(`An account has ${RULE_OF_ROLES}.`)
      await withExistingService(async (service) => {
        const account = await findAccount(service.accounts, user)
        const changed = await setRoles(service, account, roles, operatorCaller())
        const { id, username } = account
        answer(command, {
          json: { id, username, roles, changed },
          text: `${username} has ${roles.length === 0 ? 'no roles' : `the roles ${roles.join(', ')}`}${changed ? '' : ', as before'}.`,
        })
      })
    })
}
