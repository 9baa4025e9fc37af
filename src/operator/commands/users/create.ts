import type { Command } from 'commander'
import { EMAIL_MAX, EMAIL_PATTERN } from '../../../accounts/email-address.ts'
import { PASSWORD_MAX } from '../../../accounts/password-rules.ts'
import { USERNAME_MAX, USERNAME_MIN, USERNAME_PATTERN } from '../../../accounts/username.ts'
import { newOpaqueToken } from '../../../crypto/opaque-token.ts'
import { operatorClient } from '../../operator-client.ts'
import { withService } from '../../surroundings.ts'
import { answer } from '../../terminal/answer.ts'
import { CommandFailed, Misused } from '../../terminal/failures.ts'
import { readNewPassword } from '../../terminal/read-password.ts'

const EXAMPLES = `
The password is asked for without being shown, or is the first line of stdin when that is no terminal.

Examples:
  keyturn users create ada
  keyturn users create grace --email grace@example.com --by-mail
  pass show keyturn/alan | keyturn users create alan --json`

interface Options {
  email?: string
  emailVerified?: true
  byMail?: true
}

export function registerCreate(users: Command): void {
  users
    .command('create')
    .description('make an account, also where registration is closed')
    .argument('<username>')
    .option('--email <address>', 'the address of its owner')
    .option('--email-verified', 'you stand for it that the address is theirs')
    .option(
      '--by-mail',
      'the owner sets the password, with a token that is mailed; you stand for the address',
    )
    .addHelpText('after', EXAMPLES)
    .action(async (username: string, options: Options, command: Command) => {
      check(username, options)
      const { email, byMail = false } = options
      await withService(async ({ config, createAccount, askForPassword }) => {
        if (byMail && !config.smtpUrl) throw new CommandFailed('--by-mail needs SMTP_URL and MAIL_FROM.')
        // Nobody knows this one; the mailed token replaces it.
        const password = byMail ? newOpaqueToken() : await readNewPassword()
        const wellFormed = password.isWellFormed() && [...password].length <= PASSWORD_MAX
        if (!wellFormed)
          throw new CommandFailed(`The password must be UTF-8 text of at most ${PASSWORD_MAX} characters.`)
        const emailVerified = byMail || options.emailVerified === true
        const client = operatorClient()
        const account = await createAccount(
          { username, password, emailVerified, ...(email && { email }) },
          client,
          async (_trx, made) => made,
        )
        if (byMail) await askForPassword(account, client)
        answer(command, {
          json: { id: account.id, username, email: account.email, email_verified: account.emailVerified },
          text: byMail
            ? `The account ${username} is made. A token to set its password goes to ${email} as soon as the service runs.`
            : `The account ${username} is made.`,
        })
      })
    })
}

function check(username: string, { email, emailVerified, byMail }: Options): void {
  const named =
    new RegExp(USERNAME_PATTERN).test(username) &&
    username.length >= USERNAME_MIN &&
    username.length <= USERNAME_MAX
  if (!named)
    throw new Misused(
      `A username has ${USERNAME_MIN} to ${USERNAME_MAX} of A-Z a-z 0-9 . _ @ + - and begins and ends with a letter or digit.`,
    )
  if (email !== undefined && (email.length > EMAIL_MAX || !new RegExp(EMAIL_PATTERN).test(email)))
    throw new Misused(`"${email}" is not an address that mail can be sent to.`)
  if (email === undefined && (emailVerified || byMail))
    throw new Misused('--email-verified and --by-mail need --email.')
}
