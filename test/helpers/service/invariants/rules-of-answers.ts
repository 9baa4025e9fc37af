import { makeNeedles } from '../../people/needles.ts'
import { claimsOf } from '../../people/sessions.ts'
import type { Evidence } from './evidence.ts'
import { type ShownInSession, shownIn } from './ledger.ts'
import type { Finding } from './steps.ts'

/** What must be so of everything that a service told its callers. A rule names what breaks it. */

/** What is good once was taken once. A refresh token may be answered again, with the same successor. */
export function nothingIsAcceptedTwice({ witness }: Evidence): Finding[] {
  const taken = new Map<string, unknown>()
  const twice: Finding[] = []
  for (const { key, answer, at } of witness.accepted) {
    const successor = answer.body?.refresh_token
    if (taken.has(key) && !(key.startsWith('refresh') && taken.get(key) === successor))
      twice.push({ what: `${key} was accepted twice`, at })
    taken.set(key, successor)
  }
  return twice
}

/**
 * An access token says of its session what the database said of it at some time. So does an account token, and the
 * session had shown the password, and its factor if it has any, within the 300 s before; a passkey that has verified its
 * owner is both.
 */
export function tokensHaveTheirSession({ witness, ledger, rows }: Evidence): Finding[] {
  const recorded: (ShownInSession & { sid: string })[] = [
    ...ledger
      .filter(({ kind }) => kind === 'session')
      .map((entry) => ({ ...shownIn(entry), sid: entry.subject })),
    ...rows('sessions').map((row) => ({
      ...{ sid: row.id, account: row.account_id, amr: row.amr, acr: row.acr },
      authTime: String(row.auth_time),
      passwordAt: String(row.password_at ?? ''),
      factorAt: String(row.factor_at ?? ''),
    })),
  ]
  const bySid = Map.groupBy(recorded, ({ sid }) => sid)
  const saying = ({ sid, sub, acr }: Claims) =>
    (bySid.get(sid) ?? []).filter((one) => one.account === sub && one.acr === acr)
  const says = (claims: Claims) =>
    saying(claims).some(
      ({ amr, authTime }) => amr === claims.amr.join(' ') && inSeconds(authTime) === claims.auth_time,
    )
  const mayChange = (claims: Claims) =>
    saying(claims).some(
      ({ amr, passwordAt, factorAt }) =>
        (wasRecent(passwordAt, claims) || amr.split(' ').includes('user')) &&
        (amr === 'pwd' || wasRecent(factorAt, claims)),
    )
  return witness.handedOut.flatMap(({ answer: { body }, at }) => {
    const claims = claimsOf(body.access_token)
    if (isOfService(claims)) return []
    const accountClaims = body.account_token && claimsOf(body.account_token)
    return [
      ...(says(claims) ? [] : ['an access token']),
      ...(!accountClaims || mayChange(accountClaims) ? [] : ['an account token']),
    ].map((what) => ({ what: `${what} says of ${claims.sid} what no session has shown`, at }))
  })
}

type Claims = ReturnType<typeof claimsOf>

/** A service token says nothing of a person. */
const isOfService = ({ sub, client_id, sid, username, amr, acr }: Claims) =>
  sub === client_id &&
  /^service_/.test(sub) &&
  [sid, username, amr, acr].every((claim) => claim === undefined)

/** As `auth_time` stands in a token. */
const inSeconds = (milliseconds: string) => Math.floor(Number(milliseconds) / 1000)

/** Whether it was shown within the time that an account token stands for. */
const wasRecent = (milliseconds: string, { iat }: Claims) =>
  milliseconds !== '' && iat - inSeconds(milliseconds) <= 300

/** A refresh token is of the session of the access token that came with it. */
export function refreshTokensHaveTheirSession(evidence: Evidence): Finding[] {
  const { witness, ledger, rows, refreshTokenHash } = evidence
  const sessions = new Map([
    ...ledger
      .filter(({ kind }) => kind === 'refresh token')
      .map((entry) => [entry.fact, entry.subject] as const),
    ...rows('refresh_tokens').map((row) => [row.token_hash, row.session_id] as const),
  ])
  return witness.handedOut
    .filter(({ answer: { body } }) => body.refresh_token)
    .map(({ answer: { body }, at }) => ({
      sid: claimsOf(body.access_token).sid,
      hash: refreshTokenHash(body.refresh_token),
      at,
    }))
    .filter(({ sid, hash }) => sessions.get(hash) !== sid)
    .map(({ sid, at }) => ({ what: `a refresh token of ${sid} was handed out, and is not recorded`, at }))
}

/** The last of them are enough: all are written in the same places. */
const SECRETS_TO_SEEK = 60

/** What was secret on the wire stands neither in the log nor in a table. */
export function secretsAreNotWrittenDown({ witness, log, tables }: Evidence): Finding[] {
  const needles = makeNeedles()
  for (const secret of [...witness.secrets].slice(-SECRETS_TO_SEEK)) needles.add(secret, secret)
  return [
    ...needles.in(log).map((name) => `the log has ${name}`),
    ...needles.in(tables).map((name) => `the database has ${name}`),
  ].map((what) => ({ what }))
}
