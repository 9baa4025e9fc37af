import { fill, type MailTemplate, type MailValues } from '../texts/mail-template.ts'
import { builtInMails, type MailName, type OwnMails } from '../texts/mails.ts'
import { language } from '../texts/texts.ts'

/** A mail that is to be sent: which one, and what its braces stand for. */
export interface Letter {
  mail: MailName
  values: MailValues
}

/** A mail that version 0.1 has left in the outbox. */
export interface OldLetter {
  subject: string
  paragraphs: string[]
  code?: string
  facts?: [name: string, value: string][]
  closing?: string
}

/** Renders the parts of a mail, in the name of the service. */
export type RenderLetter = (letter: Letter | OldLetter) => { subject: string; text: string; html: string }

export const makeRenderLetter =
  ({ serviceName, ownMails }: { serviceName: string; ownMails: OwnMails }): RenderLetter =>
  (letter) => {
    const isOld = 'paragraphs' in letter
    const own = isOld ? undefined : ownMails[letter.mail]
    const template = isOld ? templateOf(letter) : (own ?? builtInMails[letter.mail])
    const values = { ...(isOld ? {} : letter.values), service: serviceName }
    const html = template.html
      ? fill(template.html, escaped(values))
      : layout(template, values, own ? '' : ` lang="${language}"`)
    return { subject: fill(template.subject, values), text: `${fill(template.text, values)}\n`, html }
  }

function templateOf({ subject, paragraphs, code, facts = [], closing }: OldLetter): MailTemplate {
  const parts = [
    ...paragraphs,
    code,
    facts.map((fact) => fact.join(': ')).join('\n'),
    closing,
    '-- \n{service}',
  ]
  return { subject: `{service}: ${subject}`, text: parts.filter(Boolean).join('\n\n') }
}

const escaped = (values: MailValues) =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, escapeHtml(String(value))]))

/** Loads nothing from elsewhere. A client that supports no styles shows plain paragraphs. */
function layout({ text: allText, button }: MailTemplate, values: MailValues, lang: string): string {
  const inHtml = escaped(values)
  const { code = '', link = '' } = inHtml
  const alone: Record<string, string> = {
    '{code}': `<p class="code${code.length > 12 ? ' long' : ''}">${code}</p>`,
    '{link}': `<p><a class="button" href="${link}">${button ? escapeHtml(button) : link}</a></p>`,
  }
  const paragraph = (text: string) => {
    const placeholder = alone[text.replaceAll(' ', '')]
    if (placeholder) return placeholder
    const [, signature] = /^-- \n(.*)$/s.exec(text) ?? []
    const lines = fill(escapeHtml(signature ?? text), inHtml).replaceAll('\n', '<br>')
    return `<p${signature === undefined ? '' : ' class="signature"'}>${lines}</p>`
  }
  return [
    '<!doctype html>',
    `<html${lang}><head><meta charset="utf-8">`,
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    '<meta name="color-scheme" content="light dark">',
    `<style>${STYLE}</style></head>`,
    '<body><div class="letter">',
    ...allText.split(/\n{2,}/).map(paragraph),
    '</div></body></html>',
    '',
  ].join('\n')
}

const STYLE = `
:root { color-scheme: light dark; }
body { margin: 0; padding: 24px 12px; background: #f2f3f5; color: #1d2125;
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
.letter { max-width: 34em; margin: 0 auto; padding: 20px 28px; background: #fff;
  border: 1px solid #dcdfe4; border-radius: 10px; }
.signature { padding-top: 12px; border-top: 1px solid #dcdfe4; font-weight: 600; }
.code { padding: 14px; background: #f2f3f5; border-radius: 8px; text-align: center;
  font: 600 28px/1.2 ui-monospace, Menlo, Consolas, monospace; letter-spacing: .15em; }
.code.long { font-size: 15px; letter-spacing: 0; overflow-wrap: anywhere; }
.button { display: inline-block; padding: 10px 20px; border-radius: 8px; background: #1d5fd0; color: #fff;
  font-weight: 600; text-decoration: none; overflow-wrap: anywhere; }
@media (prefers-color-scheme: dark) {
  body { background: #161a1d; color: #dee4ea; }
  .letter { background: #22272b; border-color: #39424a; }
  .signature { border-color: #39424a; }
  .code { background: #161a1d; }
}`

/** Escapes text and attribute values alike. */
export function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;')
}
