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
import { answer, CommandFailed, confirm, Misused, writePrivateFile } from '../../terminal.ts'

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
    description: 'close an account: its sessions end, and nobody signs in to it',
    question: (username) => `Close the account ${username} and end its sessions?`,
    act: async (service, account, caller) =>
      (await closeAccount(service, account, caller))
        ? `The account ${account.username} is closed.`
        : `The account ${account.username} was closed already.`,
  },
  {
    name: 'enable',
    description: 'open a closed account again',
    act: async (service, account, caller) =>
      (await openAccount(service, account, caller))
        ? `The account ${account.username} is open again.`
        : `The account ${account.username} was open already.`,
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
        : `${account.username} can try again now, but not with ${closed.join(' and ')}: after a hundred wrong codes a recovery code opens it again, or reset-2fa.`
    },
  },
  {
    name: 'reset-password',
    description: 'mail the owner a token that sets a new password',
    async act(service, account, caller) {
      if (!service.config.smtpUrl) throw new CommandFailed('No mail can be sent: set SMTP_URL and MAIL_FROM.')
      if (account.disabled) throw new CommandFailed(`The account ${account.username} is closed.`)
      if (!account.email || !account.emailVerified)
        throw new CommandFailed(`${account.username} has no proven address to mail a token to.`)
      await askForPassword(service, account, caller)
      return `A token to set a new password goes to ${account.email} as soon as the service runs.`
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
They take the place of those it had, and are the claim "roles" of its access tokens from the next refresh. A token from
before keeps its own until it expires. After keyturn sessions end ada, services that introspect refuse it at once.

Examples:
  keyturn users set-roles ada admin billing:read
  keyturn users set-roles ada`

export function registerSetRoles(users: Command): void {
  users
    .command('set-roles')
    .description('set the roles that the access tokens of an account carry')
    .argument('<user>', 'username or id')
    .argument('[roles...]', 'all that it has from now on; none when they are left out')
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
Passwords, codes, keys and their hashes are left out. What the log of the service and backups hold is not in it.

Examples:
  keyturn users export ada ada.json
  keyturn users export ada | jq .sessions`

export function registerExportOne(users: Command): void {
  users
    .command('export')
    .description('write everything that is kept about one account as JSON')
    .argument('<user>', 'username or id')
    .argument('[file]', 'a new file, which its owner alone can read; stdout when it is left out')
    .addHelpText('after', EXPORT_ABOUT)
    .action((user: string, file: string | undefined, _options, command: Command) =>
      withExistingService(async (service) => {
        const { accounts, db, trail } = service
        const account = await findAccount(accounts, user)
        // Before anything leaves, and so that it is in what leaves.
        await inTransaction(db, (trx) => trail.record(trx, 'account_exported', { account }, operatorCaller()))
        const text = `${JSON.stringify(await exportPerson(service, account), null, 2)}\n`
        if (file === undefined) {
          process.stdout.write(text)
          return
        }
        await writePrivateFile(file, (write) => write(text))
        const { id, username } = account
        answer(command, {
          json: { id, username, file },
          text: `What is kept about ${username} is in ${file}.`,
        })
      }),
    )
}
