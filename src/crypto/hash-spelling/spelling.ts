/** Rewrites the spelling of one program in the one that is stored here; `null` for the spelling of another program. */
export type ReadSpelling = (text: string) => string | null
