import { makeNeedles } from '../needles.ts'
import { claimsOf } from '../sessions.ts'
import type { Evidence } from './evidence.ts'

/** What must be so of everything that a service told its callers. A rule names what breaks it. */

/** What is good once was taken once. A refresh token may be answered again, with the same successor. */
export function nothingIsAcceptedTwice({ witness }: Evidence): string[] {
  const taken = new Map<string, unknown>()
  const twice: string[] = []
  for (const { key, answer } of witness.accepted) {
    const successor = answer.body?.refresh_token
    if (taken.has(key) && !(key.startsWith('refresh') && taken.get(key) === successor))
      twice.push(`${key} was accepted twice`)
    taken.set(key, successor)
  }
  return twice
}

/** An access token says of its session what the database said of it at some time. */
export function tokensHaveTheirSession({ witness, ledger, rows }: Evidence): string[] {
  const recorded = new Set([
    ...ledger.filter(({ kind }) => kind === 'session').map(({ subject, fact }) => `${subject}|${fact}`),
    ...rows('sessions').map((row) =>
      [row.id, row.account_id, row.amr, row.acr, row.auth_time].map(String).join('|'),
    ),
  ])
  const known = new Set([...recorded].map(inWholeSeconds))
  return witness.handedOut
    .map(({ body }) => claimsOf(body.access_token))
    .map(({ sid, sub, amr, acr, auth_time }) => [sid, sub, amr.join(' '), acr, auth_time].join('|'))
    .filter((told) => !known.has(told))
    .map((told) => `an access token says ${told}, and no session does`)
}

/** As `auth_time` stands in a token. */
function inWholeSeconds(session: string): string {
  const milliseconds = session.slice(session.lastIndexOf('|') + 1)
  return `${session.slice(0, -milliseconds.length)}${Math.floor(Number(milliseconds) / 1000)}`
}

/** A refresh token is of the session of the access token beside it. */
export function refreshTokensHaveTheirSession(evidence: Evidence): string[] {
  const { witness, ledger, rows, refreshTokenHash } = evidence
  const sessions = new Map([
    ...ledger
      .filter(({ kind }) => kind === 'refresh token')
      .map((entry) => [entry.fact, entry.subject] as const),
    ...rows('refresh_tokens').map((row) => [row.token_hash, row.session_id] as const),
  ])
  return witness.handedOut
    .map(({ body }) => ({ sid: claimsOf(body.access_token).sid, hash: refreshTokenHash(body.refresh_token) }))
    .filter(({ sid, hash }) => sessions.get(hash) !== sid)
    .map(({ sid }) => `a refresh token of ${sid} was handed out, and is not recorded`)
}

/** The last of them are enough: all are written in the same places. */
const SECRETS_TO_SEEK = 60

/** What was secret on the wire stands neither in the log nor in a table. */
export function secretsAreNotWrittenDown({ witness, log, tables }: Evidence): string[] {
  const needles = makeNeedles()
  for (const secret of [...witness.secrets].slice(-SECRETS_TO_SEEK)) needles.add(secret, secret)
  return [
    ...needles.in(log).map((name) => `the log has ${name}`),
    ...needles.in(tables).map((name) => `the database has ${name}`),
  ]
}
