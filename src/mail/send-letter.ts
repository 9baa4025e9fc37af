import type { Clock } from '../platform/clock.ts'
import { newId } from '../platform/ids.ts'
import type { Mailer } from '../platform/mailer.ts'
import { type Letter, renderLetter } from './letter.ts'

/** Sends a letter while a request waits for it. @throws {MailError} */
export type SendLetter = (address: string, letter: Letter) => Promise<void>

export function makeSendLetter({
  mailer,
  serviceName,
  clock,
}: {
  mailer: Mailer
  serviceName: string
  clock: Clock
}): SendLetter {
  return (address, letter) =>
    mailer.send({ id: newId(clock), to: { name: '', address }, ...renderLetter(letter, serviceName) })
}
