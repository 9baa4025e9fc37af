import type { Command } from 'commander'
import type { Account } from '../../../accounts/account.ts'
import { readStoredHash } from '../../../crypto/stored-hash/read-stored-hash.ts'
import { rfc3339 } from '../../../platform/clock.ts'
import type { Service } from '../../../service.ts'
import { findAccount } from '../../find-account.ts'
import { inWords, pausesOf } from '../../pauses.ts'
import { withExistingService } from '../../surroundings.ts'
import { answer, columns } from '../../terminal/answer.ts'

const EXAMPLES = `
Examples:
  keyturn users show ada
  keyturn users show 0199f3a2-5c1e-7d3b-9a44-2f1f6a0c7be1 --json`

export function registerShow(users: Command): void {
  users
    .command('show')
    .description('show one account: its factors, sessions and pauses')
    .argument('<user>', 'username or id')
    .addHelpText('after', EXAMPLES)
    .action((user: string, _options, command: Command) =>
      withExistingService(async (service) => {
        const account = await findAccount(service.accounts, user)
        const json = await describe(service, account)
        const text = columns(
          Object.entries({ ...json, pauses: json.pauses.map(inWords) }).map(([name, value]) => [
            name,
            String(value ?? '') || '-',
          ]),
        )
        answer(command, { json, text })
      }),
    )
}

async function describe(service: Service, account: Account) {
  const { attempts, db, factors, sessions } = service
  const known = await factors.of(db, account)
  const shown = []
  for (const factor of factors.all) shown.push(await factor.show(db, account, known.state(factor)))
  return {
    id: account.id,
    username: account.username,
    email: account.email,
    email_verified: account.emailVerified,
    disabled: account.disabled,
    roles: account.roles,
    created_at: rfc3339(account.createdAt),
    password_set_at: rfc3339(account.passwordSetAt),
    password_hash: schemeOf(account.passwordHash),
    ...Object.assign({}, ...shown),
    owes_enrolment_code: known.owesEnrolmentCode,
    pauses: await pausesOf(service, account),
    closed_factors: await attempts.closed(db, account.id),
    sessions: (await sessions.list(account.id)).length,
  }
}

/** An account whose hash cannot be read is one that has to be looked at. */
function schemeOf(passwordHash: string): string {
  try {
    return readStoredHash(passwordHash).scheme
  } catch (error) {
    return `unreadable: ${(error as Error).message}`
  }
}
