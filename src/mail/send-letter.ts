import type { Clock } from '../platform/clock.ts'
import { newId } from '../platform/ids.ts'
import type { Mailer } from '../platform/mailer.ts'
import type { Letter, RenderLetter } from './letter.ts'

/** Sends a letter while a request waits for it. @throws {MailError} */
export type SendLetter = (address: string, letter: Letter) => Promise<void>

export function makeSendLetter({
  mailer,
  render,
  clock,
}: {
  mailer: Mailer
  render: RenderLetter
  clock: Clock
}): SendLetter {
  return (address, letter) => mailer.send({ id: newId(clock), to: { name: '', address }, ...render(letter) })
}
