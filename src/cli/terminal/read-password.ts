import { createInterface } from 'node:readline'
import { Writable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { CommandFailed } from './failures.ts'

/**
 * Reads a new password: typed twice without being shown, or the first line of stdin when that is not a terminal. It
 * is never an argument, which other users of the machine could read.
 *
 * @throws {CommandFailed}
 */
export async function readNewPassword(): Promise<string> {
  if (!process.stdin.isTTY) return firstLine(await text(process.stdin))
  const password = await askHidden('Password: ')
  if ((await askHidden('The same again: ')) !== password)
    throw new CommandFailed('The two are not the same. Nothing was done.')
  return password
}

function firstLine(input: string): string {
  const [line = ''] = input.split(/\r?\n/)
  if (line === '')
    throw new CommandFailed('No password came from stdin. Give it there, or use --by-mail, or a terminal.')
  return line
}

function askHidden(question: string): Promise<string> {
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() })
  const terminal = createInterface({ input: process.stdin, output: nowhere, terminal: true })
  process.stderr.write(question)
  return new Promise((resolve, reject) => {
    terminal.on('SIGINT', () => terminal.close())
    terminal.question('', (password) => {
      resolve(password)
      terminal.close()
    })
    terminal.on('close', () => {
      process.stderr.write('\n')
      reject(new CommandFailed('Nothing was done.'))
    })
  })
}
