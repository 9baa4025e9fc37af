import * as en from './en/index.ts'

/** What people read. A language has every text of English, or it does not compile. */
export type Texts = typeof en

/** A folder for each language, under its tag (BCP 47). */
const languages = { en } satisfies Record<string, Texts>

/** The language of this service. */
export const language: keyof typeof languages = 'en'
export const texts: Texts = languages[language]
