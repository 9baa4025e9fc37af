import { language } from '../texts/texts.ts'

/** The content of a mail, without its form: plain paragraphs, perhaps a link or a code, and facts at the end. */
export interface Letter {
  /** It becomes a header, so no text of a user may be in it. */
  subject: string
  paragraphs: string[]
  link?: { url: string; button: string }
  /** A code to type or paste. */
  code?: string
  facts?: [name: string, value: string][]
  closing?: string
}

/** Renders the parts of a mail, in the name of the service. */
export function renderLetter(
  letter: Letter,
  serviceName: string,
): { subject: string; text: string; html: string } {
  return {
    subject: `${serviceName}: ${letter.subject}`,
    text: renderText(letter, serviceName),
    html: renderHtml(letter, serviceName),
  }
}

function renderText({ paragraphs, link, code, facts = [], closing }: Letter, serviceName: string): string {
  const parts = [
    ...paragraphs,
    ...(link ? [link.url] : []),
    ...(code ? [`    ${code}`] : []),
    ...(facts.length > 0 ? [facts.map(([name, value]) => `${name}: ${value}`).join('\n')] : []),
    ...(closing ? [closing] : []),
    `-- \n${serviceName}`,
  ]
  return `${parts.join('\n\n')}\n`
}

/** Loads nothing from elsewhere. A client that supports no styles shows plain paragraphs. */
function renderHtml({ paragraphs, link, code, facts = [], closing }: Letter, serviceName: string): string {
  const paragraph = (text: string) => `<p>${escapeHtml(text)}</p>`
  const row = ([name, value]: [string, string]) =>
    `<tr><th>${escapeHtml(name)}</th><td>${escapeHtml(value)}</td></tr>`
  return [
    '<!doctype html>',
    `<html lang="${language}"><head><meta charset="utf-8">`,
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    '<meta name="color-scheme" content="light dark">',
    `<style>${STYLE}</style></head>`,
    '<body><div class="letter">',
    `<p class="service">${escapeHtml(serviceName)}</p>`,
    ...paragraphs.map(paragraph),
    ...(link
      ? [`<p><a class="button" href="${escapeHtml(link.url)}">${escapeHtml(link.button)}</a></p>`]
      : []),
    ...(code ? [`<p class="code${code.length > 12 ? ' long' : ''}">${escapeHtml(code)}</p>`] : []),
    ...(facts.length > 0 ? [`<table>${facts.map(row).join('')}</table>`] : []),
    ...(closing ? [paragraph(closing)] : []),
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
.service { margin-top: 0; padding-bottom: 12px; border-bottom: 1px solid #dcdfe4; font-weight: 600; }
.code { padding: 14px; background: #f2f3f5; border-radius: 8px; text-align: center;
  font: 600 28px/1.2 ui-monospace, Menlo, Consolas, monospace; letter-spacing: .15em; }
.code.long { font-size: 15px; letter-spacing: 0; overflow-wrap: anywhere; }
.button { display: inline-block; padding: 10px 20px; border-radius: 8px; background: #1d5fd0; color: #fff;
  font-weight: 600; text-decoration: none; }
table { border-collapse: collapse; }
th { padding: 0 1.2em 0 0; font-weight: 400; text-align: left; vertical-align: top; color: #626f86; }
td { padding: 0; }
@media (prefers-color-scheme: dark) {
  body { background: #161a1d; color: #dee4ea; }
  .letter { background: #22272b; border-color: #39424a; }
  .service { border-color: #39424a; }
  .code { background: #161a1d; }
  th { color: #9fadbc; }
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
