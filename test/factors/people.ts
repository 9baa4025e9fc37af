import type { Test } from 'tap'
import type { Account } from '../../src/accounts/account.ts'
import { type MailingService, registerWithEmail } from '../helpers/people/mail.ts'
import { accountTokenFor } from '../helpers/people/sessions.ts'
import {
  type Answer,
  login,
  PASSWORD,
  type Service,
  type ServiceOptions,
  startService,
} from '../helpers/service/service.ts'
import type { AnswerBody, Device, Kind, Owner } from './kinds.ts'

/** Someone who has a factor and has signed in with it for the first time. */
export interface Holder extends Owner, Device {
  id: string
  accessToken: string
  refreshToken: string
}

export async function enrol(service: MailingService, kind: Kind, username: string): Promise<Holder> {
  const { id, mfaToken } = await registerWithEmail(service, username)
  const owner: Owner = { username, recoveryCodes: [] }
  const device = await kind.begin(service, owner, mfaToken)
  const { status, body, text } = await verifyFirst(service, kind, device.first, mfaToken)
  if (status !== 200) throw new Error(`${kind.method}: verify answered ${status}: ${text}`)
  owner.recoveryCodes.push(...body.recovery_codes)
  return { ...owner, ...device, id, accessToken: body.access_token, refreshToken: body.refresh_token }
}

export const verify = (service: Service, answer: AnswerBody, mfaToken: string) =>
  service.post('/2fa/verify', answer, mfaToken)

/** The answer of a sign-in that enrols. */
export const verifyFirst = (service: Service, { routes }: Kind, answer: AnswerBody, mfaToken: string) =>
  service.post(routes?.first ?? '/2fa/verify', answer, mfaToken)

export const stepUp = (service: Service, answer: AnswerBody, accessToken: string) =>
  service.post('/2fa/step-up', answer, accessToken)

/** Finishes an enrolment in a session, by an account token of it. */
export const confirmIn = async (
  service: Service,
  { routes }: Kind,
  answer: AnswerBody,
  accessToken: string,
) => service.post(routes?.confirm ?? '', answer, await accountTokenFor(service, accessToken))

/** Signs in once more. @returns the answer of the service, and what was answered to it. */
export async function signIn(
  service: MailingService,
  person: Holder,
): Promise<Answer & { given: AnswerBody }> {
  const mfaToken = await login(service, person.username)
  const given = await person.answer(service, mfaToken)
  return { ...(await verify(service, given, mfaToken)), given }
}

/** What a right password leads to. */
export const offer = async (service: Service, username: string) =>
  (await service.post('/login', { username, password: PASSWORD })).body

export const accountOf = async ({ deps }: Service, { id }: Holder) =>
  (await deps.accounts.byId(id)) as Account

export const sessionsOf = async ({ deps }: Service, { id }: Holder) => (await deps.sessions.list(id)).length

export async function eventsOf({ db }: Service, id: string, method: string): Promise<string[]> {
  const rows = await db.selectFrom('audit_events').selectAll().where('account_id', '=', id).execute()
  return rows.filter((row) => row.method === method).map(({ event }) => event)
}

/** Another service on the database of one. */
export function restart(
  t: Test,
  { databaseUrl, clock }: Pick<Service, 'databaseUrl' | 'clock'>,
  options: ServiceOptions,
): Promise<MailingService> {
  return startService(t, { databaseUrl, clock, ...options, mail: true })
}
