import type { Command } from 'commander'
import type { Account } from '../../../accounts/account.ts'
import { listTriedFrom } from '../../../audit/store.ts'
import type { Dependencies } from '../../../dependencies.ts'
import type { Client } from '../../../tokens/sessions.ts'
import { findAccount } from '../../find-account.ts'
import { operatorClient } from '../../operator-client.ts'
import { withExistingService } from '../../surroundings.ts'
import { answer } from '../../terminal/answer.ts'
import { confirm } from '../../terminal/confirm.ts'
import { CommandFailed } from '../../terminal/failures.ts'

/** Something that is done to one account. */
interface Change {
  name: string
  description: string
  /** Asked before what its owner would feel. */
  question?: (username: string) => string
  /** @returns what was done, as a sentence. */
  act(service: Dependencies, account: Account, client: Client): Promise<string>
}

const CHANGES: readonly Change[] = [
  {
    name: 'disable',
    description: 'close an account: its sessions end, and nobody signs in to it',
    question: (username) => `Close the account ${username} and end its sessions?`,
    act: async ({ closeAccount }, account, client) =>
      (await closeAccount.close(account, client))
        ? `The account ${account.username} is closed.`
        : `The account ${account.username} was closed already.`,
  },
  {
    name: 'enable',
    description: 'open a closed account again',
    act: async ({ closeAccount }, account, client) =>
      (await closeAccount.open(account, client))
        ? `The account ${account.username} is open again.`
        : `The account ${account.username} was open already.`,
  },
  {
    name: 'delete',
    description: 'delete an account and everything that belongs to it; the audit trail stays',
    question: (username) => `Delete the account ${username} for good?`,
    async act({ deleteAccount }, account, client) {
      await deleteAccount({ account }, client)
      return `The account ${account.username} is deleted.`
    },
  },
  {
    name: 'reset-2fa',
    description: 'take the second factor and the recovery codes from somebody who has lost both',
    question: (username) =>
      `Take the second factor from ${username} and end their sessions? Be sure who asks for it.`,
    async act({ resetFactors }, account, client) {
      await resetFactors(account, client)
      return `${account.username} has no second factor any more. The next sign-in sets up a new one.`
    },
  },
  {
    name: 'unlock',
    description: 'end the pauses after wrong passwords and codes',
    async act({ db, failureCounters, unlock }, account, client) {
      await unlock(account, await listTriedFrom(db, account.id), client)
      const closed = await failureCounters.closedFactors(db, account.id)
      return closed.length === 0
        ? `${account.username} can try again now.`
        : `${account.username} can try again now, but not with ${closed.join(' and ')}: after a hundred wrong codes only reset-2fa helps.`
    },
  },
  {
    name: 'reset-password',
    description: 'mail the owner a token that sets a new password',
    async act({ config, askForPassword }, account, client) {
      if (!config.smtpUrl) throw new CommandFailed('No mail can be sent: set SMTP_URL and MAIL_FROM.')
      if (account.disabled) throw new CommandFailed(`The account ${account.username} is closed.`)
      if (!account.email || !account.emailVerified)
        throw new CommandFailed(`${account.username} has no proven address to mail a token to.`)
      await askForPassword(account, client)
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
          const text = await act(service, account, operatorClient())
          answer(command, { json: { id: account.id, username: account.username, done: text }, text })
        }),
      )
}
