/** What a mail says, apart from how: plain paragraphs, perhaps a code to type in, and facts at the end. */
export interface Letter {
  /** No text of a user's: it becomes a header. */
  subject: string
  paragraphs: string[]
  /** To be typed or pasted somewhere. */
  code?: string
  facts?: [name: string, value: string][]
  closing?: string
}

/** The parts of a mail, in the name of the service. */
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

function renderText({ paragraphs, code, facts = [], closing }: Letter, serviceName: string): string {
  const parts = [
    ...paragraphs,
    ...(code ? [`    ${code}`] : []),
    ...(facts.length > 0 ? [facts.map(([name, value]) => `${name}: ${value}`).join('\n')] : []),
    ...(closing ? [closing] : []),
    `-- \n${serviceName}`,
  ]
  return `${parts.join('\n\n')}\n`
}

function renderHtml({ paragraphs, code, facts = [], closing }: Letter, serviceName: string): string {
  const paragraph = (text: string) => `<p>${escapeHtml(text)}</p>`
  const rows = facts.map(
    ([name, value]) =>
      `<tr><td style="padding-right:1em;color:#555">${escapeHtml(name)}</td><td>${escapeHtml(value)}</td></tr>`,
  )
  return [
    '<!doctype html>',
    '<html lang="en"><body style="font-family:sans-serif;font-size:16px;line-height:1.5;max-width:36em">',
    ...paragraphs.map(paragraph),
    ...(code ? [`<p style="font:600 24px monospace;letter-spacing:.1em">${escapeHtml(code)}</p>`] : []),
    ...(rows.length > 0 ? [`<table>${rows.join('')}</table>`] : []),
    ...(closing ? [paragraph(closing)] : []),
    `<p style="color:#555">${escapeHtml(serviceName)}</p>`,
    '</body></html>',
    '',
  ].join('\n')
}

/** For text and attribute values alike. */
export function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;')
}
