import { columns } from '../terminal/answer.ts'
import type { ImportReport } from './run-import.ts'

/** The most that are shown. The others are counted, and the JSON has all of them. */
const SHOWN = 20

const OWING = 'an enrolment code, of --enrolment-codes or of "keyturn users reset-2fa"'

/** The report in words for people. */
export function describeReport(report: ImportReport): string {
  const { applied, taken, enrolment_codes: owing, skipped, refused } = report
  const counts = columns([
    [applied ? 'taken' : 'to take', String(taken), `${report.with_authenticator} with an authenticator`],
    ...(owing > 0 ? [['owing', String(owing), OWING] as const] : []),
    ['skipped', String(skipped.length), skipped.length > 0 ? 'already there, and left as they are' : ''],
    ['refused', String(refused.length), ''],
  ])
  const hashes = Object.entries(report.password_hashes).map(([scheme, count]) => `${count} ${scheme}`)
  const reasons = refused
    .slice(0, SHOWN)
    .map(
      ({ place, username, reasons }) =>
        `  ${[place, username].filter(Boolean).join(', ')}: ${reasons.join('; ')}`,
    )
  return [
    counts,
    ...(hashes.length > 0 ? [`password hashes: ${hashes.join(', ')}`] : []),
    ...reasons,
    ...(refused.length > SHOWN ? [`  and ${refused.length - SHOWN} more: --json has them all`] : []),
    ...conclusion(report),
  ].join('\n')
}

function conclusion({ applied, taken, refused }: ImportReport): string[] {
  if (applied) return []
  if (refused.length > 0)
    return [
      'Nothing was changed. Put right what was refused, or take the others with --apply --skip-refused.',
    ]
  return [taken > 0 ? 'Nothing was changed. Import with --apply.' : 'There is nothing to do.']
}
