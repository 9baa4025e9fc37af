import type { AnswerForgotten, Outbox } from '../mail/outbox.ts'
import type { SendLetter } from '../mail/send-letter.ts'
import type { SignInRoom } from '../sign-in/room.ts'
import type { Usernames } from '../values/username.ts'
import type { CheckPassword } from './password-rules.ts'
import type { IsReserved } from './reserved-names.ts'

/** The parts of the service that this room uses. */
export interface AccountsRoom extends SignInRoom {
  checkPassword: CheckPassword
  /** Code points. */
  passwordMin: number
  outbox: Outbox
  /** `null` when the service has no mail server, like the other members for mail. */
  sendLetter: SendLetter | null
  answerForgotten: AnswerForgotten | null
  /** Of links in mails, with `{token}`; empty where mails have codes to copy. */
  resetUrl: string
  verifyUrl: string
  /** Whether people may register by themselves. */
  registrationOpen: boolean
  usernames: Usernames
  isReserved: IsReserved
}
