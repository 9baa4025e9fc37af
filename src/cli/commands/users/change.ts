import type { Command } from 'commander'
import type { Account } from '../../../accounts/account.ts'
import { askForPassword } from '../../../accounts/ask-for-password.ts'
import { closeAccount, openAccount } from '../../../accounts/close-account.ts'
import { deleteAccount } from '../../../accounts/delete-account.ts'
import { setRoles } from '../../../accounts/set-roles.ts'
import { listTriedFrom } from '../../../audit/list-events.ts'
import type { Caller } from '../../../caller.ts'
import { inTransaction } from '../../../platform/database.ts'
import type { Service } from '../../../service.ts'
import { unlock } from '../../../sign-in/unlock.ts'
import { RULE_OF_ROLES, sortedRoles } from '../../../values/roles.ts'
import { exportPerson } from '../../export-person.ts'
import { operatorCaller } from '../../operator.ts'
import { findAccount, withExistingService } from '../../surroundings.ts'
import { answer, CommandFailed, confirm, Misused, print, writePrivateFile } from '../../terminal.ts'

/** An operation on one account. */
interface Change {
  name: string
  description: string
  /** Asked before an operation that its owner would notice. */
  question?: (username: string) => string
  /** @returns what was done, as a sentence. */
  act(service: Service, account: Account, caller: Caller): Promise<string>
}

const CHANGES: readonly Change[] = [
  {
    name: 'disable',
    description: 'disable an account: its sessions end, and no one can sign in to it',
    question: (username) => `Disable the account ${username} and end its sessions?`,
    act: async (service, account, caller) =>
      (await closeAccount(service, account, caller))
        ? `The account ${account.username} is disabled.`
        : `The account ${account.username} was disabled already.`,
  },
  {
    name: 'enable',
    description: 'enable a disabled account again',
    act: async (service, account, caller) =>
      (await openAccount(service, account, caller))
        ? `The account ${account.username} is enabled.`
        : `The account ${account.username} was enabled already.`,
  },
  {
    name: 'delete',
    description: 'delete an account and everything that belongs to it; the audit trail stays',
    question: (username) => `Delete the account ${username} for good?`,
    async act(service, account, caller) {
      await deleteAccount(service, { account }, caller)
      return `The account ${account.username} is deleted.`
    },
  },
  {
    name: 'unlock',
    description: 'end the pauses after wrong passwords and codes',
    async act(service, account, caller) {
      const { attempts, db } = service
      await unlock(service, account, await listTriedFrom(db, account.id), caller)
      const closed = await attempts.closed(db, account.id)
      return closed.length === 0
        ? `${account.username} can try again now.`
        : `${account.username} can try again now, but not with ${closed.join(' and ')}, closed after a hundred wrong codes. A recovery code opens it again, and so does reset-2fa.`
    },
  },
  {
    name: 'reset-password',
    description: 'mail the owner a token to set a new password',
    async act(service, account, caller) {
      if (!service.config.smtpUrl) throw new CommandFailed('No mail can be sent: set SMTP_URL and MAIL_FROM.')
      if (account.disabled) throw new CommandFailed(`The account ${account.username} is disabled.`)
      if (!account.email || !account.emailVerified)
        throw new CommandFailed(`${account.username} has no proven address to mail a token to.`)
      await askForPassword(service, account, caller)
      return `The service will mail ${account.email} a token to set a new password.`
    },
  },
]

export function registerChange(users: Command): void {
  for (const { name, description, question, act } of CHANGES)
    users
      .command(name)
      .description(description)
      .argument('<user>', 'username or id')
      .addHelpText('after', `\nExample:\n  keyturn users ${name} ada${question ? ' --yes' : ''}`)
      .action((user: string, _options, command: Command) =>
        withExistingService(async (service) => {
          const account = await findAccount(service.accounts, user)
          if (question) await confirm(command, question(account.username))
          const text = await act(service, account, operatorCaller())
          answer(command, { json: { id: account.id, username: account.username, done: text }, text })
        }),
      )
}

const ROLES_ABOUT = `
These roles replace the ones that the account had. Access tokens carry them in the claim "roles" from the next refresh;
older tokens keep theirs until they expire. To have services that introspect refuse those at once, end the sessions.

Examples:
  keyturn users set-roles ada admin billing:read
  keyturn users set-roles ada`

export function registerSetRoles(users: Command): void {
  users
    .command('set-roles')
    .description('set the roles in the access tokens of an account')
    .argument('<user>', 'username or id')
    .argument('[roles...]', 'all its roles from now on; none if left out')
    .addHelpText('after', ROLES_ABOUT)
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

const EXPORT_ABOUT = `
It leaves out passwords, codes, keys and their hashes. The log of the service and backups are not part of it.

Examples:
  keyturn users export ada ada.json
  keyturn users export ada | jq .sessions`

export function registerExportOne(users: Command): void {
  users
    .command('export')
    .description('write everything that is kept about one account as JSON')
    .argument('<user>', 'username or id')
    .argument('[file]', 'a new file that only its owner can read; stdout if left out')
    .addHelpText('after', EXPORT_ABOUT)
    .action((user: string, file: string | undefined, _options, command: Command) =>
      withExistingService(async (service) => {
        const { accounts, db, trail } = service
        const account = await findAccount(accounts, user)
        async function takeOut(write: (text: string) => unknown): Promise<void> {
          // Before anything leaves, and so that it is in what leaves.
          await inTransaction(db, (trx) =>
            trail.record(trx, 'account_exported', { account }, operatorCaller()),
          )
          await write(`${JSON.stringify(await exportPerson(service, account), null, 2)}\n`)
        }
        if (file === undefined) return takeOut(print)
        await writePrivateFile(file, takeOut)
        const { id, username } = account
        answer(command, {
          json: { id, username, file },
          text: `What is kept about ${username} is in ${file}.`,
        })
      }),
    )
}
