import { readdirSync, readFileSync } from 'node:fs'
import { join, parse } from 'node:path'
import { type MailTemplate, namesIn } from './mail-template.ts'
import { builtInMails, type MailName, type OwnMails } from './mails.ts'

/** The first of these that a built-in mail has, its own cannot do without. */
const NEEDED = ['link', 'code']

/** A mail as it stands in a file. */
export const inFile = ({ subject, text }: MailTemplate): string => `Subject: ${subject}\n\n${text}\n`

/**
 * Reads the mails in a folder: `<name>.txt`, perhaps with an `<name>.html`. Hidden files are passed over.
 *
 * @param folder empty where there is none.
 * @param faults gets a sentence for everything that is wrong with one of them.
 */
export function readOwnMails(folder: string, faults: string[]): OwnMails {
  const own: { [Name in MailName]?: MailTemplate } = {}
  if (!folder) return own
  const fault = (file: string, words: string) => faults.push(`MAIL_TEMPLATES: ${join(folder, file)} ${words}`)
  const read = <T>(file: string, how: (path: string) => T): T | undefined => {
    try {
      return how(join(folder, file))
    } catch (error) {
      fault(file, `cannot be read: ${(error as NodeJS.ErrnoException).code}`)
      return undefined
    }
  }

  const files = read('', filesIn) ?? []
  for (const file of files) {
    const { name, ext } = parse(file)
    if (!isMail(name) || !['.txt', '.html'].includes(ext))
      fault(file, 'is no mail: keyturn mails <folder> writes each that there is')
    else if (!files.includes(`${name}.txt`)) fault(file, `goes with a file ${name}.txt, which is not there`)
    else {
      const source = read(file, readText)
      if (source === undefined) continue
      // The HTML comes before the text in the order of names.
      const part = ext === '.txt' ? parts(source) : { subject: ' ', text: source }
      for (const words of faultsOf(name, part)) fault(file, words)
      own[name] = ext === '.txt' ? { ...own[name], ...part } : { subject: '', text: '', html: source }
    }
  }
  return own
}

const isMail = (name: string): name is MailName => Object.hasOwn(builtInMails, name)

const filesIn = (folder: string) =>
  readdirSync(folder)
    .filter((file) => !file.startsWith('.'))
    .sort()

/** @throws {TypeError} with the code `ERR_ENCODING_INVALID_ENCODED_DATA` when it is not UTF-8. */
const readText = (path: string) =>
  new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(path)).replaceAll('\r\n', '\n')

/** Without a subject, where the first line has none. */
function parts(source: string): { subject: string; text: string } {
  const [, subject = '', text = source] = /^Subject:([^\n]*)\n(.*)$/s.exec(source) ?? []
  return { subject: subject.trim(), text: text.trim() }
}

function faultsOf(name: MailName, { subject, text }: { subject: string; text: string }): string[] {
  const known = [...new Set(namesIn(builtInMails[name].text))]
  const needed = NEEDED.find((one) => known.includes(one))
  const inText = namesIn(text)
  const unknown = inText.filter((one) => !known.includes(one))
  const faults: [string, boolean][] = [
    ['must begin with a line like "Subject: Your code"', !subject],
    ['has a control character in its subject', /\p{Cc}/u.test(subject)],
    [
      'may have {service} in its subject, and no other name in braces',
      namesIn(subject).some((one) => one !== 'service'),
    ],
    ['has no text', !text],
    [`must have {${needed}}`, needed !== undefined && !inText.includes(needed)],
    [
      `has ${inBraces(unknown, ' and ')}, but what it may have is ${inBraces(known, ' ')}`,
      unknown.length > 0,
    ],
  ]
  return faults.flatMap(([words, applies]) => (applies ? [words] : []))
}

const inBraces = (names: readonly string[], between: string) => names.map((name) => `{${name}}`).join(between)
