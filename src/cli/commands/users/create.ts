import type { Command } from 'commander'
import { askForPassword } from '../../../accounts/ask-for-password.ts'
import { createAccount } from '../../../accounts/create-account.ts'
import { PASSWORD_MAX } from '../../../accounts/password-rules.ts'
import { readConfig } from '../../../config.ts'
import { newOpaqueToken } from '../../../crypto/opaque-token.ts'
import { ENROLMENT_CODE_DAYS, newEnrolmentCode, oweEnrolmentCodes } from '../../../factors/enrolment-code.ts'
import { texts } from '../../../texts/texts.ts'
import { readEmailAddress } from '../../../values/email-address.ts'
import { USERNAME_MAX, USERNAME_MIN, USERNAME_PATTERNS, type Usernames } from '../../../values/username.ts'
import { operatorCaller } from '../../operator.ts'
import { withService } from '../../surroundings.ts'
import { answer } from '../../terminal/answer.ts'
import { CommandFailed, Misused } from '../../terminal/failures.ts'
import { readNewPassword } from '../../terminal/read-password.ts'

const EXAMPLES = `
The password is asked for without being shown, or is the first line of stdin when that is no terminal.

Examples:
  keyturn users create ada
  keyturn users create grace --email grace@example.com --by-mail --enrolment-code
  pass show keyturn/alan | keyturn users create alan --json`

interface Options {
  enrolmentCode?: true
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
    .option(
      '--enrolment-code',
      'print a code that the first second factor takes: who knows the password alone does not become the owner',
    )
    .addHelpText('after', EXAMPLES)
    .action(async (username: string, options: Options, command: Command) => {
      const config = readConfig(process.env)
      check(username, options, config.usernames)
      const { byMail = false, enrolmentCode = false } = options
      const email = options.email === undefined ? undefined : readAddress(options.email)
      await withService(async (service) => {
        if (byMail && !service.config.smtpUrl)
          throw new CommandFailed('--by-mail needs SMTP_URL and MAIL_FROM.')
        // No one knows this password. The mailed token replaces it.
        const password = byMail ? newOpaqueToken() : await readNewPassword()
        const wellFormed = password.isWellFormed() && [...password].length <= PASSWORD_MAX
        if (!wellFormed)
          throw new CommandFailed(`The password must be UTF-8 text of at most ${PASSWORD_MAX} characters.`)
        const emailVerified = byMail || options.emailVerified === true
        const caller = operatorCaller()
        const code = enrolmentCode ? newEnrolmentCode() : undefined
        const account = await createAccount(
          service,
          { username, password, emailVerified, ...(email && { email }) },
          caller,
          async (trx, account) => {
            if (code) await oweEnrolmentCodes(service, trx, [{ accountId: account.id, code }])
            return account
          },
        )
        if (byMail) await askForPassword(service, account, caller)
        answer(command, {
          json: {
            id: account.id,
            username,
            email: account.email,
            email_verified: account.emailVerified,
            ...(code && { enrolment_code: code }),
          },
          text: [
            byMail
              ? `The account ${username} is made. A token to set its password goes to ${email} as soon as the service runs.`
              : `The account ${username} is made.`,
            ...(code
              ? [
                  `The first authenticator takes this enrolment code, within ${ENROLMENT_CODE_DAYS} days:\n\n    ${code}`,
                ]
              : []),
          ].join('\n'),
        })
      }, config)
    })
}

function readAddress(text: string): string {
  const read = readEmailAddress(text)
  if ('fault' in read) throw new Misused(`No mail can be sent to "${text}". ${texts.emailFaults[read.fault]}`)
  return read.address
}

const SIGNS: Record<Usernames, string> = { any: ". _ @ + ' -", plain: ". _ + ' -" }

function check(username: string, { email, emailVerified, byMail }: Options, usernames: Usernames): void {
  const named =
    new RegExp(USERNAME_PATTERNS[usernames]).test(username) &&
    username.length >= USERNAME_MIN &&
    username.length <= USERNAME_MAX
  if (!named)
    throw new Misused(
      `A username has ${USERNAME_MIN} to ${USERNAME_MAX} of A-Z a-z 0-9 ${SIGNS[usernames]} and begins and ends with a letter or digit.`,
    )
  if (email === undefined && (emailVerified || byMail))
    throw new Misused('--email-verified and --by-mail need --email.')
}
