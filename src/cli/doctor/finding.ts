/** What a check found. */
export interface Result {
  status: 'ok' | 'warn' | 'fail'
  /** As a sentence. */
  found: string
  /** What to do about it. */
  advice?: string
}

/** One line of the doctor's report, with the subject of its check. */
export interface Finding extends Result {
  check: string
}

export const ok = (found: string): Result => ({ status: 'ok', found })
export const warn = (found: string, advice: string): Result => ({ status: 'warn', found, advice })
export const fail = (found: string, advice: string): Result => ({ status: 'fail', found, advice })
