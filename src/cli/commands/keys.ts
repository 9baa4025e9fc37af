import type { Command } from 'commander'
import { makeKeyRing } from '../../crypto/key-ring.ts'
import { makeSecretBox } from '../../crypto/secret-box.ts'
import { rfc3339, systemClock } from '../../platform/clock.ts'
import {
  instancesLacking,
  lacking,
  liveReplicas,
  noteSealing,
  sealingOtherwise,
} from '../../tokens/key-holders.ts'
import { revokeSigningKey } from '../../tokens/revoke-key.ts'
import { givenRootKeys, rootKeysOf } from '../../tokens/root-keys.ts'
import { describeSigningKeys, openSigningKeys } from '../../tokens/signing-keys.ts'
import { recordOperation } from '../operator.ts'
import { KILLED, requireHolders } from '../require-holders.ts'
import { openBox, withExistingDatabase } from '../surroundings.ts'
import { reseal, statusOfKeys } from '../table-rows.ts'
import { answer, CommandFailed, columns, confirm } from '../terminal.ts'
import { registerForgetLost } from './forget-lost.ts'

const RESEAL_EXAMPLE = `
First put the new key in front of the old one, and restart the service with both.

Example:
  SECRET_KEY=$NEW,$OLD keyturn keys reseal`

const REVOKE_ABOUT = `
Use it for a key that others may know. Services that check tokens themselves trust the key until they fetch the key set
again, within five minutes; restart those that keep it longer. Sessions go on: clients refresh their tokens.

Example:
  keyturn keys revoke oM1u4zGkPzFvKxQ8aJ9yTq0rB5cWdE2hLsN7iXvY3Ug --yes`

export function registerKeys(program: Command): void {
  const keys = program
    .command('keys')
    .description('manage the signing keys, and the SECRET_KEY that seals them')

  keys
    .command('list')
    .description('list the signing keys')
    .addHelpText('after', '\nExample:\n  keyturn keys list --json')
    .action((_options, command) =>
      withExistingDatabase(async (db) => {
        const all = await describeSigningKeys(db, systemClock)
        answer(command, {
          json: all.map(({ createdAt, ...key }) => ({ ...key, created_at: rfc3339(createdAt) })),
          text: all
            .map(({ kid, alg, createdAt, role }) => `${kid}  ${alg}  made ${rfc3339(createdAt)}  ${role}`)
            .join('\n'),
        })
      }),
    )

  keys
    .command('rotate')
    .description('create the next signing key; it signs once every service can know it')
    .addHelpText('after', '\nExample:\n  keyturn keys rotate')
    .action((_options, command) =>
      withExistingDatabase(async (db, config) => {
        const { jwtAlg: alg, accessTokenTtl: tokenTtl } = config
        const box = await openBox(config, db)
        await requireHolders({ db, clock: systemClock }, box.keyId, 'No key is made yet.')
        const signingKeys = await openSigningKeys({
          db,
          box,
          clock: systemClock,
          alg,
          tokenTtl,
          logger: console,
        })
        const next = await signingKeys.rotate()
        await recordOperation(db, 'signing_key_made')
        answer(command, {
          json: { kid: next.kid, alg: next.alg },
          text: `The next signing key is ${next.kid} (${next.alg}). It is published now and signs in ten minutes.`,
        })
      }),
    )

  keys
    .command('revoke')
    .description('revoke a leaked signing key at once: its tokens are refused, and the next key signs')
    .argument('<kid>', 'the id of the key, from keyturn keys list')
    .addHelpText('after', REVOKE_ABOUT)
    .action(async (kid: string, _options, command: Command) => {
      await confirm(command, `Revoke the key ${kid}? Access tokens that it signed are refused from now on.`)
      await withExistingDatabase(async (db, config) => {
        const box = await openBox(config, db)
        const signer = await revokeSigningKey({ db, box, clock: systemClock, alg: config.jwtAlg }, kid)
        if (!signer) throw new CommandFailed(`There is no signing key ${kid}. See keyturn keys list.`)
        await recordOperation(db, 'signing_key_revoked', kid)
        const lacking = instancesLacking(signer.sealedUnder, await liveReplicas(db, systemClock))
        const text = `The key ${kid} is revoked. ${signer.kid} (${signer.alg}) signs now. Running services learn of it within five seconds.`
        answer(command, {
          json: { revoked: kid, kid: signer.kid, alg: signer.alg, replicas_lacking: lacking },
          text: lacking.length > 0 ? `${text}\n${cannotSign(lacking)}` : text,
        })
      })
    })

  keys
    .command('status')
    .description('show which keys of SECRET_KEY the database needs, and which replicas hold them')
    .addHelpText('after', '\nExample:\n  keyturn keys status --json')
    .action((_options, command) =>
      withExistingDatabase(async (db, config) => {
        const { keys, replicas } = await statusOfKeys(db, makeKeyRing(givenRootKeys(config)), systemClock)
        const dated = (at: number | null) => (at === null ? null : rfc3339(at))
        answer(command, {
          json: {
            keys: keys.map(({ sealingSince, ...key }) => ({ ...key, sealing_since: dated(sealingSince) })),
            replicas: replicas.map(({ keyIds, seenAt, ...replica }) => {
              return { ...replica, key_ids: keyIds, seen_at: rfc3339(seenAt) }
            }),
          },
          text: columns([
            ['KEY', 'IN SECRET_KEY', 'SEALS SINCE', 'VALUES'],
            ...keys.map(({ id, held, seals, sealingSince, values }) => [
              id,
              seals ? 'first' : held ? 'yes' : 'NO',
              dated(sealingSince) ?? '-',
              Object.entries(values)
                .map(([name, count]) => `${count} ${name}`)
                .join(', ') || 'none',
            ]),
            ['REPLICA', 'VERSION', 'SEEN', 'KEYS'],
            ...replicas.map(({ instance, version, keyIds, seenAt }) => [
              instance,
              version,
              rfc3339(seenAt),
              keyIds.join(', '),
            ]),
          ]),
        })
      }),
    )

  keys
    .command('reseal')
    .description('seal everything under the first key of SECRET_KEY, so that the others can be dropped')
    .addHelpText('after', RESEAL_EXAMPLE)
    .action((_options, command) =>
      withExistingDatabase(async (db, config) => {
        const keyRing = makeKeyRing(await rootKeysOf(config, db))
        await requireHolders(
          { db, clock: systemClock },
          keyRing.primary.id,
          'Nothing is resealed yet.',
          (keyId, replicas) => lacking(keyId, replicas) ?? sealingOtherwise(keyId, replicas),
        )
        await noteSealing(db, keyRing.primary.id, systemClock)
        const counts = await reseal(db, makeSecretBox(keyRing))
        await recordOperation(db, 'secrets_resealed')
        const text = Object.entries(counts).map(([name, count]) => `${name}: ${count} sealed again`)
        answer(command, { json: counts, text: text.join('\n') })
      }),
    )

  registerForgetLost(keys)
}

/** What is left to do after a revocation, which waits for no replica. */
const cannotSign = (instances: readonly string[]) =>
  `These replicas cannot read the key that signs now: ${instances.join(', ')}. They refuse what the revoked key signed, but sign-ins there fail. Restart them with the SECRET_KEY of this command. ${KILLED}`
