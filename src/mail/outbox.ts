import type { FastifyBaseLogger } from 'fastify'
import type { SecretBox } from '../crypto/secret-box.ts'
import { CLOCK_SKEW_SECONDS, type Clock } from '../platform/clock.ts'
import { type Db, inTransaction, type Trx } from '../platform/database.ts'
import { newId } from '../platform/ids.ts'
import { MailError, mayArrive } from '../platform/mail-error.ts'
import type { Mailbox, Mailer } from '../platform/mailer.ts'
import type { Letter, OldLetter, RenderLetter } from './letter.ts'
import * as store from './store.ts'
import { outboxContext } from './tables.ts'
import type { Circumstances } from './templates/circumstances.ts'

/** Minutes to wait after each failed attempt. After the last attempt, or when the server refuses it for good, the mail is given up. */
const WAITS_MINUTES = [1, 5, 15, 60, 240, 720]

/** How long one process has a mail to itself: longer than sending can take, also by the clock of another process. */
const CLAIM_MS = 60_000 + CLOCK_SKEW_SECONDS * 1000

const BATCH = 20

/**
 * A message in the outbox: a letter, or the request of a person who forgot a password. The accounts of such a request
 * are looked up here and not in the request, so that its answer reveals nothing. Each of them gets a message of its
 * own, with its id and its username: a mail that fails does not send the other mails again.
 */
export type OutboxMessage =
  | ({ kind: 'letter' } & Addressed)
  | ({ kind: 'password_forgotten'; accountId?: string } & Circumstances)

interface Addressed {
  to: Mailbox
  letter: Letter | OldLetter
}

/** The accounts that a person may mean who typed this as the username. */
export type FindForgotten = (trx: Trx, typed: string) => Promise<{ id: string; username: string }[]>

/**
 * Turns the request of a forgotten password into the letter to send, if there is one. Each attempt makes a new letter,
 * and `takeBack` undoes what was made for a letter that was not sent.
 */
export type AnswerForgotten = (
  accountId: string,
  forgotten: Omit<Circumstances, 'username'>,
) => Promise<(Addressed & { takeBack: () => Promise<void> }) | null>

/** Keeps mail until it is sent, through crashes and through hours without a mail server. */
export interface Outbox {
  /** The message is stored with the change that it belongs to, or not at all. */
  put(trx: Trx, message: OutboxMessage): Promise<void>
  /**
   * Sends the mails that are due. Several processes may do so at once; each mail is sent by one of them.
   *
   * @param ending fires when the process ends. Mails that it has not begun by then are left to others.
   * @returns how many were sent.
   */
  deliverDue(ending?: AbortSignal): Promise<number>
}

interface OutboxParts {
  db: Db
  clock: Clock
  box: SecretBox
  mailer: Mailer
  render: RenderLetter
  logger: Pick<FastifyBaseLogger, 'warn' | 'error'>
  answerForgotten: AnswerForgotten
  findForgotten: FindForgotten
}

export function makeOutbox(parts: OutboxParts): Outbox {
  const { answerForgotten, box, clock, db, findForgotten, logger, mailer, render } = parts

  async function put(trx: Trx, message: OutboxMessage): Promise<void> {
    const id = newId(clock)
    const sealed = box.seal(Buffer.from(JSON.stringify(message)), outboxContext(id))
    await store.insertOutbox(trx, id, sealed, clock.now())
  }

  async function send({ id, sealed_message: sealed }: store.OutboxRow): Promise<void> {
    const message: OutboxMessage = JSON.parse(box.open(sealed, outboxContext(id)).toString())
    const post = ({ to, letter }: Addressed) => mailer.send({ id, to, ...render(letter) })
    if (message.kind === 'letter') return post(message)

    const { accountId } = message
    if (accountId === undefined)
      return inTransaction(db, async (trx) => {
        for (const account of await findForgotten(trx, message.username))
          await put(trx, { ...message, accountId: account.id, username: account.username })
        await store.deleteOutbox(trx, id)
      })
    const answer = await answerForgotten(accountId, message)
    if (!answer) return
    await post(answer).catch(async (error) => {
      if (mayArrive(error)) return logger.warn({ err: error, mail_id: id }, 'mail may not have arrived')
      await answer.takeBack()
      throw error
    })
  }

  async function deliver(row: store.OutboxRow): Promise<boolean> {
    try {
      await send(row)
      await inTransaction(db, (trx) => store.deleteOutbox(trx, row.id))
      return true
    } catch (err) {
      const refused = err instanceof MailError && err.final
      const wait = refused ? undefined : WAITS_MINUTES[row.attempts - 1]
      if (wait === undefined) {
        logger.error({ err, mail_id: row.id, attempts: row.attempts }, 'mail given up')
        await inTransaction(db, (trx) => store.deleteOutbox(trx, row.id))
      } else {
        logger.warn({ err, mail_id: row.id, attempts: row.attempts, wait_minutes: wait }, 'mail postponed')
        await inTransaction(db, (trx) => store.postponeOutbox(trx, row.id, clock.now() + wait * 60_000))
      }
      return false
    }
  }

  return {
    put,

    async deliverDue(ending) {
      let delivered = 0
      for (;;) {
        const ids = await store.listDueOutboxIds(db, claimTimes(clock.now()), BATCH)
        for (const id of ids) {
          if (ending?.aborted) return delivered
          const times = claimTimes(clock.now())
          const row = await inTransaction(db, (trx) => store.claimOutbox(trx, id, times))
          if (row && (await deliver(row))) delivered += 1
        }
        // A request that was worked off has left messages that are due now.
        if (ids.length === 0) return delivered
      }
    },
  }
}

function claimTimes(now: number): store.ClaimTimes {
  const until = now + CLAIM_MS
  const longestWait = now + Math.max(...WAITS_MINUTES) * 60_000
  const skew = CLOCK_SKEW_SECONDS * 1000
  return { now, until, latestClaim: until + skew, latestTry: longestWait + skew }
}

/** For a service without a mail server, which keeps no mail. */
export const noOutbox: Outbox = {
  put: async () => {},
  deliverDue: async () => 0,
}
