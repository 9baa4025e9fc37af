import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Command } from 'commander'
import { builtInMails } from '../../texts/mails.ts'
import { inFile } from '../../texts/own-mails.ts'
import { answer } from '../terminal.ts'

const ABOUT = `
A file that is there already stays as it is. Change those that you want to, delete the others, and name the folder in
MAIL_TEMPLATES.

Example:
  keyturn mails mails`

export function registerMails(program: Command): void {
  program
    .command('mails')
    .description('write every mail that the service sends into a folder, to begin your own with')
    .argument('<folder>')
    .addHelpText('after', ABOUT)
    .action((folder: string, _options, command: Command) => {
      mkdirSync(folder, { recursive: true })
      const missing = Object.entries(builtInMails)
        .map(([name, template]) => ({ path: join(folder, `${name}.txt`), template }))
        .filter(({ path }) => !existsSync(path))
      for (const { path, template } of missing) writeFileSync(path, inFile(template))
      answer(command, {
        json: { folder, written: missing.length },
        text: `${missing.length} mails are written to ${folder}.`,
      })
    })
}
