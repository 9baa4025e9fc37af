import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import type { Command } from 'commander'
import { MIN_ROOT_KEY_BYTES } from '../../crypto/key-ring.ts'
import { keyFileOf } from '../../platform/sqlite-files.ts'
import { answer, CommandFailed, writePrivateFile } from '../terminal.ts'

const FILE = '.env'

/** It is used where nothing is set; its key is made by a start without `SECRET_KEY`. */
const DEFAULT_DATABASE = 'sqlite:data/keyturn.db'

const ABOUT = `
The file explains every setting; all but the key are commented out. Only its owner can read it. An existing file stays as
it is.

Example:
  keyturn init && keyturn serve`

export function registerInit(program: Command): void {
  program
    .command('init')
    .description(`write a file ${FILE} with a new SECRET_KEY to this folder`)
    .addHelpText('after', ABOUT)
    .action(async (_options, command) => {
      const key = keyFileOf(DEFAULT_DATABASE)
      if (key)
        throw new CommandFailed(
          `A service has run here without ${FILE}: ${key} has its key, and a new one would not open its database.`,
        )
      if (existsSync(FILE)) {
        answer(command, { json: { file: FILE }, text: `${FILE} is there already and stays as it is.` })
        return
      }
      await writePrivateFile(FILE, (write) => write(environmentFile()))
      answer(command, {
        json: { file: FILE },
        text: `${FILE} is written, with a new SECRET_KEY. Keep a copy of that key, apart from backups of the database.`,
      })
    })
}

/** All settings as `.env.example` explains them, without its first words about itself, and with a key. */
function environmentFile(): string {
  const example = readFileSync(new URL('../../../.env.example', import.meta.url), 'utf8')
  const [, ...settings] = example.split('\n\n')
  const key = randomBytes(MIN_ROOT_KEY_BYTES).toString('base64')
  return settings.join('\n\n').replace(/^#SECRET_KEY=$/m, `SECRET_KEY=${key}`)
}
