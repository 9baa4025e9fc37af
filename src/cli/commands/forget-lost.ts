import { randomBytes } from 'node:crypto'
import type { Command } from 'commander'
import { type Config, readConfig } from '../../config.ts'
import { makeKeyRing } from '../../crypto/key-ring.ts'
import { resetFactors } from '../../factors/reset.ts'
import { systemClock } from '../../platform/clock.ts'
import { migrateUp } from '../../platform/migrate.ts'
import { givenRootKeys } from '../../tokens/root-keys.ts'
import { keyFileOf } from '../../tokens/secret-key-file.ts'
import { forgetLost } from '../keys/forget-lost.ts'
import { countOf, statusOfKeys } from '../keys/status.ts'
import { operatorCaller } from '../operator.ts'
import { recordOperation } from '../record-operation.ts'
import { requireDatabase, requireUnused, withDatabase, withExistingService } from '../surroundings.ts'
import { answer } from '../terminal/answer.ts'
import { confirm } from '../terminal/confirm.ts'
import { CommandFailed } from '../terminal/failures.ts'

const ABOUT = `
For a SECRET_KEY that is gone for good: what it sealed can never be read again. Every service must be stopped. The accounts
and their passwords stay. Authenticators, recovery codes and passkeys that the lost key kept are removed, every session
ends, and new keys are made. People with no factor left need an enrolment code: keyturn users reset-2fa <user>
makes one, for the person you are sure of.

Example, with a new key in SECRET_KEY:
  keyturn keys forget-lost`

export function registerForgetLost(keys: Command): void {
  keys
    .command('forget-lost')
    .description(
      'a way out of a lost SECRET_KEY: remove what it sealed, and reset whom that leaves without a factor',
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
        text: `${reset.length} accounts have no second factor any more, and ${sessions} sessions are ended. New keys are made.
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
