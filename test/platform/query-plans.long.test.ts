import BetterSqlite3 from 'better-sqlite3'
import pg from 'pg'
import t from 'tap'
import { sqlitePath } from '../../src/platform/sqlite-files.ts'
import { cleanUp } from '../../src/upkeep/clean-up.ts'
import { deliver, type MailingService } from '../helpers/people/mail.ts'
import { MORE_SCENARIOS, SCENARIOS, type Scenario, send } from '../helpers/people/scenarios.ts'
import { onPostgres } from '../helpers/service/database.ts'
import { startService } from '../helpers/service/service.ts'
import { watchingStatements } from '../helpers/service/statements.ts'

/**
 * What the service asks costs the same with ten accounts and with ten million: each statement that a route, the
 * clean-up or any other work in the background makes finds its rows by an index.
 */

/** Tables that stay a handful of rows whatever happens. */
const SMALL = ['signing_keys', 'hash_keys', 'kysely_migration', 'sqlite_master']

async function statementsOf(service: MailingService, work: () => Promise<unknown>): Promise<string[]> {
  const texts = new Set<string>()
  await watchingStatements(service.databaseUrl, (text) => texts.add(text), work)
  return [...texts].filter((text) => /^\s*(select|insert|update|delete|with)\b/i.test(text))
}

/** What would be read from one end to the other, by the database's own plan. */
async function scansOf(service: MailingService, statements: readonly string[]): Promise<string[]> {
  const scans: string[] = []
  for (const text of statements)
    for (const step of await planOf(service, text)) {
      const table = /(?:Seq Scan on|^SCAN) ([a-z]\w*)/.exec(step)?.[1]
      if (table && !SMALL.includes(table)) scans.push(`all of ${table} for: ${text}`)
    }
  return scans
}

/** The steps by which the database would do it. */
const planOf = onPostgres ? postgresPlan : sqlitePlan

async function sqlitePlan({ databaseUrl }: MailingService, text: string): Promise<string[]> {
  const sqlite = new BetterSqlite3(sqlitePath(databaseUrl), { readonly: true })
  const values = Array(text.split('?').length - 1).fill(null)
  const steps = sqlite.prepare(`explain query plan ${text}`).all(...values) as { detail: string }[]
  sqlite.close()
  return steps.map(({ detail }) => detail)
}

/** A table of some rows is best read whole: the plan is the one for a table where that costs too much. */
async function postgresPlan({ databaseUrl }: MailingService, text: string): Promise<string[]> {
  const client = new pg.Client(databaseUrl)
  await client.connect()
  try {
    await client.query('set enable_seqscan = off; set plan_cache_mode = force_generic_plan')
    await client.query(`prepare asked as ${text}`)
    const count = new Set(text.match(/\$\d+/g)).size
    const nulls = count > 0 ? `(${Array(count).fill('null').join()})` : ''
    const { rows } = await client.query(`explain execute asked${nulls}`)
    return rows.map((row) => row['QUERY PLAN'])
  } finally {
    await client.end()
  }
}

t.test('each statement of each route finds its rows by an index', async (t) => {
  for (const [route, scenario] of Object.entries({ ...SCENARIOS, ...MORE_SCENARIOS })) {
    const service = await startService(t, { mail: true, environment: scenario.environment ?? {} })
    const request = await scenario.prepare(service, 'ada')
    const statements = await statementsOf(service, async () => {
      // The second time it is refused where it is good once, and that asks the database, too.
      await send(service, route, request)
      await send(service, route, request)
    })
    t.ok(statements.length > 0, `${route}: ${statements.length} statements`)
    t.strictSame(await scansOf(service, statements), [], route)
    await service.close()
  }
})

t.test('and so does the work in the background', async (t) => {
  const service = await startService(t, { mail: true })
  const { deps, clock } = service
  for (const [route, scenario] of Object.entries(SCENARIOS)) {
    if (scenario.environment) continue
    await send(service, route, await scenario.prepare(service, route.replace(/[^a-z]/gi, '').toLowerCase()))
  }
  const statements = await statementsOf(service, async () => {
    await deps.signingKeys.maintain()
    await deliver(service)
    // After the end of everything that ends by itself.
    clock.advance(3 * 366 * 24 * 3600)
    await cleanUp(deps)
  })
  t.ok(statements.length > 20, `${statements.length} statements`)
  t.strictSame(await scansOf(service, statements), [])
})

// Those of a year are a dozen times as many, and would be read for each batch.
for (const [what, event, index] of [
  ['the refreshes of a month ago', 'token_refreshed', /audit_events_refreshed_at/],
  [
    'the accounts that were deleted or expired a month ago',
    'account_expired',
    /audit_events_account_gone_at/,
  ],
] as const)
  t.test(`${what} are found without reading other events`, async (t) => {
    const service = await startService(t, { mail: true })
    const statements = await statementsOf(service, () => cleanUp(service.deps))
    const [found, ...others] = statements.filter((text) =>
      new RegExp(`^\\s*select .*audit_events.*${event}`, 's').test(text),
    )
    t.strictSame(others, [])
    t.match((await planOf(service, found ?? '')).join('\n'), index)
  })

t.test('renamings of an account and of its factors are found without reading its other events', async (t) => {
  const service = await startService(t, { mail: true })
  const statements = await statementsOf(service, async () => {
    for (const route of ['PATCH /2fa/factors/:id', 'DELETE /me']) {
      const scenario = { ...SCENARIOS, ...MORE_SCENARIOS }[route] as Scenario
      await send(service, route, await scenario.prepare(service, route.replace(/[^a-z]/gi, '').toLowerCase()))
    }
  })
  const found = statements.filter((text) => /factor_renamed/.test(text))
  t.ok(found.length >= 2, `${found.length} statements`)
  for (const text of found) t.match((await planOf(service, text)).join('\n'), /audit_events_of_few_kinds/)
})
