import type { Command } from 'commander'
import type { Account } from '../../../accounts/account.ts'
import { askForPassword } from '../../../accounts/ask-for-password.ts'
import { closeAccount, openAccount } from '../../../accounts/close-account.ts'
import { deleteAccount } from '../../../accounts/delete-account.ts'
import { listTriedFrom } from '../../../audit/list-events.ts'
import type { Caller } from '../../../caller.ts'
import type { Service } from '../../../service.ts'
import { unlock } from '../../../sign-in/unlock.ts'
import { findAccount } from '../../find-account.ts'
import { operatorCaller } from '../../operator.ts'
import { withExistingService } from '../../surroundings.ts'
import { answer } from '../../terminal/answer.ts'
import { confirm } from '../../terminal/confirm.ts'
import { CommandFailed } from '../../terminal/failures.ts'

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
