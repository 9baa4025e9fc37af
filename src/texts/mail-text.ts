/** What a mail says. A name in braces stands for a value. */
export interface MailText {
  /** It becomes a header, so nothing that a user chose may be in it. */
  subject: string
  paragraphs: string[]
  /** On the link, where there is one. */
  button?: string
  /** What to do about it. */
  closing: string
}

/** Puts in each value for its name in braces, and reads no braces in a value. */
export function fill(text: string, values: Readonly<Record<string, string | number>>): string {
  return text.replace(/\{(\w+)\}/g, (braces, name: string) => String(values[name] ?? braces))
}
