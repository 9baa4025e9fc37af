import type { Command } from 'commander'
import type { Account } from '../../../accounts/account.ts'
import { askForPassword } from '../../../accounts/ask-for-password.ts'
import { createAccount } from '../../../accounts/create-account.ts'
import { PasswordCameByMail, partMailboxFromPassword } from '../../../accounts/part-mailbox-from-password.ts'
import { PASSWORD_MAX } from '../../../accounts/password-rules.ts'
import { readConfig } from '../../../config.ts'
import { newOpaqueToken } from '../../../crypto/codes.ts'
import { ENROLMENT_CODE_DAYS, newEnrolmentCode, oweEnrolmentCodes } from '../../../factors/enrolment-code.ts'
import { resetFactors } from '../../../factors/reset.ts'
import { enrolmentCode } from '../../../mail/templates/codes.ts'
import type { Service } from '../../../service.ts'
import { operatorCaller } from '../../operator.ts'
import { findAccount, withExistingService, withService } from '../../surroundings.ts'
import { answer, CommandFailed, confirm, Misused, readNewPassword } from '../../terminal.ts'
import { checkUsername, readAddress } from './name.ts'

const CREATE_EXAMPLES = `
It asks for the password without showing it. If stdin is not a terminal, the password is its first line.

Examples:
  keyturn users create ada
  keyturn users create grace --email grace@example.com --by-mail \\
    --enrolment-code
  pass show keyturn/alan | keyturn users create alan --json`

interface CreateOptions {
  enrolmentCode?: true
  email?: string
  emailVerified?: true
  byMail?: true
}

export function registerCreate(users: Command): void {
  users
    .command('create')
    .description('create an account, even if registration is closed')
    .argument('<username>')
    .option('--email <address>', 'the address of the owner')
    .option('--email-verified', 'the address counts as proven: you have checked that it is theirs')
    .option('--by-mail', 'mail the owner a token to set the password; you have checked the address')
    .option('--enrolment-code', 'print a code that the owner needs to set up the first second factor')
    .addHelpText('after', CREATE_EXAMPLES)
    .action(async (username: string, options: CreateOptions, command: Command) => {
      const config = readConfig(process.env)
      checkUsername(username, config.usernames)
      const { byMail = false, enrolmentCode = false } = options
      if (options.email === undefined && (options.emailVerified || byMail))
        throw new Misused('--email-verified and --by-mail need --email.')
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
              ? `The account ${username} was created. The service will mail ${email} a token to set the password.`
              : `The account ${username} was created.`,
            ...(code
              ? [
                  `The first authenticator needs this enrolment code, within ${ENROLMENT_CODE_DAYS} days:\n\n    ${code}`,
                ]
              : []),
          ].join('\n'),
        })
      }, config)
    })
}

const RESET_ABOUT = `
The account keeps its password and gets an enrolment code of 16 letters, which is good for ${ENROLMENT_CODE_DAYS} days. The owner needs
the code to set up the next authenticator, so a thief who knows only the password gets nowhere. A thief who has both takes
over the account: make sure who is asking, and give the code in person or over a channel that you know to be theirs.

Examples:
  keyturn users reset-2fa ada
  keyturn users reset-2fa ada --by-mail --yes`

export function registerReset2fa(users: Command): void {
  users
    .command('reset-2fa')
    .description('remove the second factor and the recovery codes of a user who has lost them')
    .argument('<user>', 'username or id')
    .option('--by-mail', 'mail the enrolment code to the proven address instead of showing it')
    .addHelpText('after', RESET_ABOUT)
    .action((user: string, { byMail = false }: { byMail?: boolean }, command: Command) =>
      withExistingService(async (service) => {
        const account = await findAccount(service.accounts, user)
        if (byMail) mailboxOf(service, account)
        const { username } = account
        await confirm(
          command,
          `Remove the second factor of ${username} and end all sessions? Make sure who is asking.`,
        )
        const { code, mailTo } = byMail
          ? await resetByMail(service, account)
          : { code: await resetFactors(service, account, operatorCaller()), mailTo: '' }
        if (code === null) throw new CommandFailed(`The account ${username} is gone.`)
        if (byMail) await mailCode(service, mailTo, username, code)
        answer(command, {
          json: {
            id: account.id,
            username,
            ...(byMail ? { mailed_to: mailTo } : { enrolment_code: code }),
          },
          text: `${username} has no second factor any more. The next sign-in sets up a new one, with ${
            byMail
              ? `the enrolment code that was mailed to ${mailTo}`
              : `this enrolment code:\n\n    ${code}\n`
          }\nIt is good for ${ENROLMENT_CODE_DAYS} days. Anyone who has this code and the password can take over the account.`,
        })
      }),
    )
}

/** @returns the address to mail to. */
function mailboxOf({ config }: Service, { username, email, emailVerified }: Account): string {
  if (!config.smtpUrl) throw new CommandFailed('--by-mail needs SMTP_URL and MAIL_FROM.')
  if (!email || !emailVerified)
    throw new CommandFailed(`${username} has no proven address to mail a code to.`)
  return email
}

/** One mailbox must not open both doors: where the password came by mail, the code does not. */
async function resetByMail(
  service: Service,
  account: Account,
): Promise<{ code: string | null; mailTo: string }> {
  let mailTo = ''
  try {
    const code = await resetFactors(service, account, operatorCaller(), async (trx, present) => {
      // The address may have changed while the operator was asked.
      mailTo = mailboxOf(service, present)
      await partMailboxFromPassword(service, trx, present)
    })
    return { code, mailTo }
  } catch (error) {
    if (!(error instanceof PasswordCameByMail)) throw error
    throw new CommandFailed(
      `The password of ${account.username} was set by mail, and no factor has been used since. If the code came by mail too, the mailbox alone would open the account: give the code in another way, without --by-mail.`,
    )
  }
}

async function mailCode(
  { clock, sendLetter }: Service,
  mailTo: string,
  username: string,
  code: string,
): Promise<void> {
  try {
    const about = { username, at: clock.now(), ip: '' }
    await sendLetter?.(mailTo, enrolmentCode({ ...about, code, days: ENROLMENT_CODE_DAYS }))
  } catch (error) {
    throw new CommandFailed(
      `The second factor is reset, but the mail could not be sent: ${(error as Error).message}. Run the command again.`,
    )
  }
}
