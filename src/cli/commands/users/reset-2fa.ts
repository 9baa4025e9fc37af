import type { Command } from 'commander'
import type { Account } from '../../../accounts/account.ts'
import { PasswordCameByMail, partMailboxFromPassword } from '../../../accounts/part-mailbox-from-password.ts'
import { ENROLMENT_CODE_DAYS } from '../../../factors/enrolment-code.ts'
import { resetFactors } from '../../../factors/reset.ts'
import { enrolmentCode } from '../../../mail/templates/codes.ts'
import type { Service } from '../../../service.ts'
import { findAccount } from '../../find-account.ts'
import { operatorCaller } from '../../operator.ts'
import { withExistingService } from '../../surroundings.ts'
import { answer } from '../../terminal/answer.ts'
import { confirm } from '../../terminal/confirm.ts'
import { CommandFailed } from '../../terminal/failures.ts'

const ABOUT = `
The account keeps its password, and gets an enrolment code of 16 letters, good for ${ENROLMENT_CODE_DAYS} days. Its owner sends
it with the next setup of an authenticator. A thief who knows the password alone can do nothing with the account
meanwhile. A thief who gets hold of password and code becomes its owner: be sure who asks, and hand the code over
in person or by a channel that you know to be theirs.

Examples:
  keyturn users reset-2fa ada
  keyturn users reset-2fa ada --by-mail --yes`

export function registerReset2fa(users: Command): void {
  users
    .command('reset-2fa')
    .description('take the second factor and the recovery codes from a user who has lost both')
    .argument('<user>', 'username or id')
    .option('--by-mail', 'mail the enrolment code to the proven address instead of showing it')
    .addHelpText('after', ABOUT)
    .action((user: string, { byMail = false }: { byMail?: boolean }, command: Command) =>
      withExistingService(async (service) => {
        const account = await findAccount(service.accounts, user)
        if (byMail) mailboxOf(service, account)
        const { username } = account
        await confirm(
          command,
          `Take the second factor from ${username} and end their sessions? Be sure who asks for it.`,
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
          }\nIt is good for ${ENROLMENT_CODE_DAYS} days. A person with this code and the password becomes the owner of the account.`,
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
      `The password of ${account.username} was set by mail, and no factor was shown since. With the code by mail as well, the mailbox alone would open the account: hand the code over in another way, without --by-mail.`,
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
