import { promisify } from 'node:util'
import SMTPConnection from 'nodemailer/lib/smtp-connection'
import type { SMTPTransportOptions } from 'nodemailer/lib/smtp-transport'

/** What would be a mail, without the mail. */
interface Question {
  from: string
  to: string
}

/**
 * Connects, signs in and asks whether the server would take a mail for a recipient, without sending one: the sender and the
 * recipient are named, and taken back (RSET).
 *
 * @returns the answer of the server where it does not take the recipient or the sender.
 */
export async function askMailServer(
  { auth, authMethod, ...options }: SMTPTransportOptions,
  { from, to }: Question,
): Promise<string | null> {
  let refusal: string | null = null
  const connection = new SMTPConnection({
    ...options,
    // nodemailer's way to send commands of one's own.
    customAuth: {
      ASK: async ({ sendCommand }) => {
        for (const command of [`MAIL FROM:<${from}>`, `RCPT TO:<${to}>`]) {
          const { response, status } = await sendCommand(command)
          if (status >= 400) refusal ??= response
        }
        await sendCommand('RSET')
      },
    },
  })
  const login = promisify(connection.login.bind(connection))
  try {
    await new Promise<void>((resolve, reject) => {
      connection.once('error', reject)
      connection.once('end', () => reject(new Error('The server closed the connection')))
      const talk = async () => {
        if (auth) await login({ ...auth, ...(authMethod && { method: authMethod }) })
        await login({ user: '', pass: '', method: 'ASK' })
      }
      connection.connect((error) => (error ? reject(error) : void talk().then(resolve, reject)))
    })
    connection.quit()
  } catch (error) {
    connection.close()
    throw error
  }
  return refusal
}
