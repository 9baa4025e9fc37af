import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Command } from 'commander'
import { builtInMails } from '../../texts/mails.ts'
import { inFile } from '../../texts/own-mails.ts'
import { answer, CommandFailed, counted, writeSharedFile } from '../terminal.ts'

const ABOUT = `
Existing files stay as they are. Change the mails that you want to change, delete the others, and set MAIL_TEMPLATES to the
folder.

Example:
  keyturn mails mails`

export function registerMails(program: Command): void {
  program
    .command('mails')
    .description('write the text of every mail to a folder, as a start for your own')
    .argument('<folder>')
    .addHelpText('after', ABOUT)
    .action(async (folder: string, _options, command: Command) => {
      makeFolder(folder)
      const missing = Object.entries(builtInMails)
        .map(([name, template]) => ({ path: join(folder, `${name}.txt`), template }))
        .filter(({ path }) => !existsSync(path))
      for (const { path, template } of missing)
        await writeSharedFile(path, (write) => write(inFile(template)))
      answer(command, {
        json: { folder, written: missing.length },
        text: `${counted(missing.length, 'mail')} written to ${folder}.`,
      })
    })
}

/** @throws {CommandFailed} */
function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true })
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'EEXIST' || code === 'ENOTDIR') throw new CommandFailed(`${folder} is no folder. Name one.`)
    throw new CommandFailed(`The folder ${folder} cannot be made: ${message}.`)
  }
}
