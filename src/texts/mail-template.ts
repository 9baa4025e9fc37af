/** What a mail says. A name in braces stands for a value. */
export interface MailTemplate {
  /** It becomes a header, so nothing that a user chose may be in it. */
  subject: string
  /** Paragraphs with blank lines between them. */
  text: string
  /** On the link. */
  button?: string
  /** Where it is missing, the layout of this service shows the text. */
  html?: string
}

export type MailValues = Readonly<Record<string, string | number>>

/** No rule of a style sheet looks like it. */
const IN_BRACES = /\{([^{}:;\n]+)\}/g

export function namesIn(text: string): string[] {
  return Array.from(text.matchAll(IN_BRACES), ([, name = '']) => name.trim())
}

/** Puts in each value for its name, and reads no braces in a value. */
export function fill(text: string, values: MailValues): string {
  return text.replace(IN_BRACES, (_, name: string) => String(values[name.trim()] ?? ''))
}
