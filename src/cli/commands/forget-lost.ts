import { randomBytes } from 'node:crypto'
import type { Command } from 'commander'
import { sql } from 'kysely'
import { listAccountsById } from '../../accounts/list-accounts.ts'
import { type Config, readConfig } from '../../config.ts'
import { type KeyRing, makeKeyRing } from '../../crypto/key-ring.ts'
import { oweUnknownCodes, owingAmong } from '../../factors/enrolment-code.ts'
import type { Factor } from '../../factors/factor.ts'
import { factors } from '../../factors/registry.ts'
import { resetFactors } from '../../factors/reset.ts'
import { type Clock, systemClock } from '../../platform/clock.ts'
import { adapterOf, type Db, inTransaction, type Trx } from '../../platform/database.ts'
import { migrateUp } from '../../platform/migrate.ts'
import { keyFileOf } from '../../platform/sqlite-files.ts'
import { tableNames, tables } from '../../tables.ts'
import { sealedHashKey } from '../../tokens/hash-key.ts'
import { keyIdIn } from '../../tokens/key-holders.ts'
import { givenRootKeys } from '../../tokens/root-keys.ts'
import { operatorCaller, recordOperation } from '../operator.ts'
import { requireDatabase, requireUnused, withDatabase, withExistingService } from '../surroundings.ts'
import { countOf, sealedTables, statusOfKeys } from '../table-rows.ts'
import { answer, CommandFailed, confirm, counted } from '../terminal.ts'

const PAGE = 500

/**
 * Deletes what only a lost key could read: values that are sealed under none of these keys and, if the hash key is among
 * them, everything that was hashed under it; passkeys are recognised by it too. An account that loses its last factor by
 * this, or had no factor and needed an enrolment code, now needs a code that no one knows: a stranger with its password
 * cannot set up a factor. All of it happens or nothing.
 *
 * @returns the ids of these accounts.
 */
export async function forgetLost(db: Db, keyRing: KeyRing, clock: Clock): Promise<string[]> {
  return inTransaction(db, async (trx) => {
    await adapterOf(trx).keepStill(trx, tableNames)
    const before = await enrolledOrOwing(trx, factors)
    const held = sql.join(keyRing.all.map(({ id }) => id))
    for (const { name, sealed } of sealedTables)
      await sql`delete from ${sql.table(name)} where ${keyIdIn(sealed.column)} not in (${held})`.execute(trx)
    const hashKeyLost = !(await sealedHashKey(trx))
    if (hashKeyLost) {
      // The hashes of accounts are of passwords, which need no key.
      for (const { name, secrets } of tables)
        if (secrets && name !== 'accounts') await sql`delete from ${sql.table(name)}`.execute(trx)
      // Where another factor is left as well: one that can never answer would raise the level that a change asks for.
      for (const factor of factors)
        if (factor.boundToHashKey) for (const id of before) await factor.remove(trx, id, clock.now())
    }
    const after = await enrolledOrOwing(trx, factors)
    const bereft = [...before].filter((id) => !after.has(id))
    await oweUnknownCodes(trx, bereft, clock.now())
    return bereft
  })
}

async function enrolledOrOwing(trx: Trx, among: readonly Factor[]): Promise<ReadonlySet<string>> {
  const found = new Set<string>()
  for (let after: string | undefined = ''; after !== undefined; ) {
    const ids: string[] = (await listAccountsById(trx, after, PAGE)).map(({ id }) => id)
    for (const { activeAmong } of [...among, { activeAmong: owingAmong }])
      for (const id of await activeAmong(trx, ids)) found.add(id)
    after = ids.at(-1)
  }
  return found
}

const ABOUT = `
Use it if a SECRET_KEY is gone for good: what it sealed can never be read again. Stop every service first. Accounts keep
their passwords. Authenticators, recovery codes and passkeys that need the lost key are removed, all sessions end, and new
keys are made. People who have no factor left need an enrolment code from keyturn users reset-2fa <user>: make sure who is
asking.

Example, with a new key in SECRET_KEY:
  keyturn keys forget-lost`

export function registerForgetLost(keys: Command): void {
  keys
    .command('forget-lost')
    .description(
      'recover from a lost SECRET_KEY: delete what it sealed, and reset accounts that have no factor left',
    )
    .addHelpText('after', ABOUT)
    .action(async (_options, command: Command) => {
      const config = readConfig(process.env)
      await requireUnused(config.databaseUrl)
      requireDatabase(config.databaseUrl)
      let reset: string[] = []
      await withDatabase(async (db) => {
        // Under any key: the right one is lost.
        await migrateUp(db)
        const { keys } = await statusOfKeys(db, makeKeyRing(keysToAskWith(config)), systemClock)
        const lost = keys.filter((key) => !key.held && countOf(key) > 0)
        if (lost.length === 0)
          throw new CommandFailed('Nothing is lost: SECRET_KEY holds every key that is needed.')
        const names = lost.map((key) => `${key.id} (${countOf(key)} values)`).join(', ')
        await confirm(command, `Delete for good what is sealed under ${names}, and end every session?`)
        const keyRing = makeKeyRing(givenRootKeys(config, { mayMake: true }))
        await recordOperation(db, 'lost_keys_forgotten')
        reset = await forgetLost(db, keyRing, systemClock)
      })
      let sessions = 0
      await withExistingService(async (service) => {
        sessions = await service.sessions.endEvery()
        for (const id of reset) {
          const account = await service.accounts.byId(id)
          if (account) await resetFactors(service, account, operatorCaller())
        }
      })
      answer(command, {
        json: { accounts_reset: reset.length, sessions_ended: sessions },
        text: `${counted(reset.length, 'account')} lost the second factor, ${counted(sessions, 'session')} ended, and new keys were made.
Each of these people needs an enrolment code: keyturn users reset-2fa <user>. Service clients whose secret is refused need a
new one: keyturn clients rotate <name>.`,
      })
    })
}

/** A key file that is gone is not made before the operator has agreed. */
function keysToAskWith(config: Config): readonly Buffer[] {
  if (config.secretKeys || keyFileOf(config.databaseUrl)) return givenRootKeys(config)
  return [randomBytes(32)]
}
