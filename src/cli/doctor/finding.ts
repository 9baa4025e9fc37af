/** One line of the doctor's report. */
export interface Finding {
  /** The subject of the check. */
  check: string
  status: 'ok' | 'warn' | 'fail'
  /** The result, as a sentence. */
  found: string
  /** What to do about it. */
  advice?: string
}

/** Makes the findings of one check. */
export function findingsOf(check: string) {
  return {
    ok: (found: string): Finding => ({ check, status: 'ok', found }),
    warn: (found: string, advice: string): Finding => ({ check, status: 'warn', found, advice }),
    fail: (found: string, advice: string): Finding => ({ check, status: 'fail', found, advice }),
  }
}
