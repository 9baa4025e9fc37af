import type { Command } from 'commander'
import { renameAccount } from '../../../accounts/rename.ts'
import { setEmail } from '../../../accounts/set-email.ts'
import { readConfig } from '../../../config.ts'
import { texts } from '../../../texts/texts.ts'
import { readEmailAddress } from '../../../values/email-address.ts'
import { USERNAME_MAX, USERNAME_MIN, USERNAME_PATTERNS, type Usernames } from '../../../values/username.ts'
import { operatorCaller } from '../../operator.ts'
import { findAccount, withExistingService } from '../../surroundings.ts'
import { answer, CommandFailed, confirm, Misused } from '../../terminal.ts'

const SIGNS: Record<Usernames, string> = { any: ". _ @ + ' -", plain: ". _ + ' -" }

/** @throws {Misused} */
export function checkUsername(username: string, usernames: Usernames): void {
  const named =
    new RegExp(USERNAME_PATTERNS[usernames]).test(username) &&
    username.length >= USERNAME_MIN &&
    username.length <= USERNAME_MAX
  if (!named)
    throw new Misused(
      `A username has ${USERNAME_MIN} to ${USERNAME_MAX} characters of A-Z a-z 0-9 ${SIGNS[usernames]} and begins and ends with a letter or digit.`,
    )
}

/** @throws {Misused} */
export function readAddress(text: string): string {
  const read = readEmailAddress(text)
  if ('fault' in read) throw new Misused(`No mail can be sent to "${text}". ${texts.emailFaults[read.fault]}`)
  return read.address
}

const gone = (username: string) => new CommandFailed(`The account ${username} is gone.`)

const RENAME_ABOUT = `
From now on the owner signs in with the new name. The account keeps its id, sessions and factors. Access tokens carry the
new name from the next refresh. Authenticator apps and passkey dialogs go on showing the old one.

Example:
  keyturn users rename ada ada.lovelace`

export function registerRename(users: Command): void {
  users
    .command('rename')
    .description('change the username of an account')
    .argument('<user>', 'username or id')
    .argument('<username>', 'the new username')
    .addHelpText('after', RENAME_ABOUT)
    .action(async (user: string, username: string, _options, command: Command) => {
      checkUsername(username, readConfig(process.env).usernames)
      await withExistingService(async (service) => {
        const account = await findAccount(service.accounts, user)
        const { id, username: was } = account
        if (!(await renameAccount(service, account, username, operatorCaller()))) throw gone(was)
        answer(command, {
          json: { id, username, was },
          text: `The account ${was} is now called ${username}.`,
        })
      })
    })
}

const EMAIL_ABOUT = `
The address counts as proven, and anyone who reads its mail can reset the password: check first that it belongs to the owner.
All sessions of the account end, and tokens that were mailed to the old address are void. Both mailboxes get a notice.

Example:
  keyturn users set-email ada ada@example.com --yes`

export function registerSetEmail(users: Command): void {
  users
    .command('set-email')
    .description('change the address of an account to one that you have checked')
    .argument('<user>', 'username or id')
    .argument('<address>', 'the new address')
    .addHelpText('after', EMAIL_ABOUT)
    .action(async (user: string, text: string, _options, command: Command) => {
      const address = readAddress(text)
      await withExistingService(async (service) => {
        const account = await findAccount(service.accounts, user)
        const { id, username } = account
        await confirm(command, `Change the address of ${username} to ${address} and end all sessions?`)
        if (!(await setEmail(service, account, address, operatorCaller()))) throw gone(username)
        answer(command, {
          json: { id, username, email: address, was: account.email },
          text: `The address of ${username} is now ${address}. All sessions have ended.`,
        })
      })
    })
}
