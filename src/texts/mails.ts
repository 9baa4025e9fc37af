import type { MailTemplate } from './mail-template.ts'
import { type Texts, texts } from './texts.ts'

export type MailName = keyof Texts['mails'] | keyof Texts['notices']

/** Every mail that there is, by its name. */
export const builtInMails: Readonly<Record<MailName, MailTemplate>> = { ...texts.mails, ...texts.notices }

/** Mails of the operator, in the place of built-in ones. */
export type OwnMails = Readonly<Partial<Record<MailName, MailTemplate>>>
