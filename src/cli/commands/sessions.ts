import type { Command } from 'commander'
import type { Account } from '../../accounts/account.ts'
import { rfc3339 } from '../../platform/clock.ts'
import { inTransaction } from '../../platform/database.ts'
import type { Service } from '../../service.ts'
import { operatorCaller } from '../operator.ts'
import { findAccount, withExistingService } from '../surroundings.ts'
import { answer, CommandFailed, columns, confirm, counted, Misused } from '../terminal.ts'

const END_EXAMPLES = `
Keyturn refuses their access tokens at once. A service that checks tokens itself accepts them until they expire, for
ACCESS_TOKEN_TTL at most.

Examples:
  keyturn sessions end ada
  keyturn sessions end ada --session 0199f3a2-5c1e-7d3b-9a44-2f1f6a0c7be1
  keyturn sessions end --all --yes`

interface EndOptions {
  all?: true
  session?: string
}

export function registerSessions(program: Command): void {
  const sessions = program.command('sessions').description('list and end the sessions of an account')

  sessions
    .command('list')
    .description('list the sessions of an account')
    .argument('<user>', 'username or id')
    .addHelpText('after', '\nExample:\n  keyturn sessions list ada')
    .action((user: string, _options, command: Command) =>
      withExistingService(async (service) => {
        const account = await findAccount(service.accounts, user)
        const json = (await service.sessions.list(account.id)).map((session) => ({
          id: session.id,
          created_at: rfc3339(session.createdAt),
          last_used_at: rfc3339(session.lastUsedAt),
          acr: session.acr,
          ip: session.ip,
          user_agent: session.userAgent,
        }))
        const rows = json.map((one) => [one.id, one.last_used_at, one.acr, one.ip, one.user_agent])
        answer(command, { json, text: columns([['ID', 'LAST USED', 'LEVEL', 'IP', 'USER AGENT'], ...rows]) })
      }),
    )

  sessions
    .command('end')
    .description('end one session or all sessions of an account, or the sessions of all accounts')
    .argument('[user]', 'username or id')
    .option('--session <id>', 'only this session')
    .option('--all', 'the sessions of all accounts')
    .addHelpText('after', END_EXAMPLES)
    .action(async (user: string | undefined, { all, session }: EndOptions, command: Command) => {
      if (all ? user !== undefined || session !== undefined : user === undefined)
        throw new Misused('Name a user or say --all. --session goes with a user.')
      await withExistingService(async (service) => {
        const account = user === undefined ? null : await findAccount(service.accounts, user)
        const whose =
          account && (session === undefined ? `all sessions of ${account.username}` : `session ${session}`)
        await confirm(command, whose ? `End ${whose}?` : 'End every session of every account?')
        const ended = await end(service, account, session)
        answer(command, { json: { ended }, text: `${counted(ended, 'session')} ended.` })
      })
    })
}

async function end(
  { db, sessions, trail }: Service,
  account: Account | null,
  sessionId?: string,
): Promise<number> {
  const caller = operatorCaller()
  if (account && sessionId !== undefined) {
    const ended = await inTransaction(db, (trx) => sessions.end(trx, account, sessionId, caller))
    if (ended) return 1
    throw new CommandFailed(`${account.username} has no such session.`)
  }
  const live = account ? (await sessions.list(account.id)).length : 0
  if (account) await sessions.endSurplus(account, caller)
  await inTransaction(db, async (trx) => {
    if (account) await sessions.endAll(trx, account.id)
    await trail.record(trx, 'all_sessions_ended', { account: account ?? undefined }, caller)
  })
  return account ? live : sessions.endEvery()
}
