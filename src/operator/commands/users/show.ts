import type { Command } from 'commander'
import type { Account } from '../../../accounts/account.ts'
import { readStoredHash } from '../../../crypto/stored-hash/index.ts'
import type { Dependencies } from '../../../dependencies.ts'
import { rfc3339 } from '../../../platform/clock.ts'
import { findAccount } from '../../find-account.ts'
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
        const text = columns(Object.entries(json).map(([name, value]) => [name, String(value ?? '') || '-']))
        answer(command, { json, text })
      }),
    )
}

async function describe(service: Dependencies, account: Account) {
  const { db, factors, failureCounters, recoveryCodes, sessions } = service
  const state = await factors.of(db, account)
  return {
    id: account.id,
    username: account.username,
    email: account.email,
    email_verified: account.emailVerified,
    disabled: account.disabled,
    created_at: rfc3339(account.createdAt),
    password_set_at: rfc3339(account.passwordSetAt),
    password_hash: readStoredHash(account.passwordHash).scheme,
    totp: state.totp,
    email_codes: account.emailIsFactor,
    recovery_codes: (await recoveryCodes.stock(db, account.id)).remaining,
    closed_factors: await failureCounters.closedFactors(db, account.id),
    sessions: (await sessions.list(account.id)).length,
  }
}
