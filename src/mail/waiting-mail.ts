import type { SecretBox } from '../crypto/secret-box.ts'
import { rfc3339 } from '../platform/clock.ts'
import type { Db } from '../platform/database.ts'
import type { OutboxMessage } from './outbox.ts'
import { outboxContext } from './tables.ts'

/**
 * How many mails are not sent yet, and when the first of them was written, in epoch milliseconds.
 *
 * @param writtenBefore epoch milliseconds: later ones are not counted.
 */
export async function waitingMail(
  db: Db,
  writtenBefore = Number.MAX_SAFE_INTEGER,
): Promise<{ count: number; since: number | null }> {
  const { count, since } = await db
    .selectFrom('outbox')
    .where('created_at', '<', writtenBefore)
    .select((eb) => [eb.fn.countAll().as('count'), eb.fn.min('created_at').as('since')])
    .executeTakeFirstOrThrow()
  return { count: Number(count), since: since === null ? null : Number(since) }
}

/**
 * The mails that wait for one person: to one of these addresses, or asked for under one or this username. They come
 * without what is in them, which may be a token.
 *
 * @throws {UnsealError} when one opens under none of the keys.
 */
export async function waitingMailOf(
  { box, db }: { box: SecretBox; db: Db },
  { addresses, username }: { addresses: readonly string[]; username: string },
) {
  const typed = [username, ...addresses].map((name) => name.toLowerCase())
  const rows = await db.selectFrom('outbox').selectAll().orderBy('id').execute()
  return rows.flatMap(({ id, sealed_message, created_at, attempts }) => {
    const message: OutboxMessage = JSON.parse(box.open(sealed_message, outboxContext(id)).toString())
    const theirs =
      message.kind === 'letter'
        ? addresses.includes(message.to.address)
        : typed.includes(message.username.toLowerCase())
    const about =
      message.kind === 'letter'
        ? `${'mail' in message.letter ? message.letter.mail : message.letter.subject}, to ${message.to.address}`
        : `reset of the password, asked for from ${message.ip}`
    return theirs ? [{ created_at: rfc3339(created_at), attempts, about }] : []
  })
}
