// Walks the table of docs/what-ends-what.md: each cause is brought about, and each cell is looked at.
import t from 'tap'
import type { Account } from '../../src/accounts/account.ts'
import { closeAccount } from '../../src/accounts/close-account.ts'
import { deleteAccount } from '../../src/accounts/delete-account.ts'
import { setEmail as setEmailAsOperator } from '../../src/accounts/set-email.ts'
import { operatorCaller } from '../../src/cli/operator.ts'
import { resetFactors } from '../../src/factors/reset.ts'
import { inTransaction } from '../../src/platform/database.ts'
import { page, tableRows } from '../helpers/documents/readme.ts'
import { inPlaceOfTheOld } from '../helpers/people/factors.ts'
import {
  enrolWithAddress,
  latestCode,
  linkIn,
  type MailingService,
  mailedToken,
} from '../helpers/people/mail.ts'
import { addPasskey, newPasskey } from '../helpers/people/passkeys.ts'
import { accountTokenFor, isAlive, refresh, type SignedIn, signIn } from '../helpers/people/sessions.ts'
import { totp } from '../helpers/people/totp.ts'
import { type Answer, type Enrolled, login, PASSWORD, startService } from '../helpers/service/service.ts'

const ANOTHER = 'staple in a haystack'
const VERIFY_URL = 'https://app.example.com/#{token}'

interface Life {
  service: MailingService
  ada: Enrolled
  /** The session that asks. */
  own: SignedIn
  other: SignedIn
  /** Of `own`, for the change. */
  accountToken: string
  resetToken: string
}

const operated =
  (act: (service: MailingService['deps'], account: Account) => Promise<unknown>) =>
  async ({ service, ada }: Life) => {
    await act(service.deps, (await service.deps.accounts.byId(ada.id)) as Account)
    return undefined
  }

type Cause = (life: Life) => Promise<Answer | undefined>

/** How each cause is brought about, in every way that its line names. @returns the answer to the person who asked for it. */
const CAUSES: Record<string, Cause | Cause[]> = {
  'POST /password/change': ({ service, accountToken }) =>
    service.post('/password/change', { current_password: PASSWORD, new_password: ANOTHER }, accountToken),
  async 'POST /2fa/setup/confirm'({ service, accountToken }) {
    const { secret } = (await service.post('/2fa/setup', undefined, accountToken)).body
    const code = totp(secret, service.clock.now())
    return service.post('/2fa/setup/confirm', { code }, accountToken)
  },
  'DELETE /2fa, DELETE /2fa/factors/{id}': [
    ({ service, accountToken }) => service.delete('/2fa', accountToken),
    async ({ service, own, accountToken }) => {
      const { replaces: id } = await inPlaceOfTheOld(service, own.accessToken)
      return service.delete(`/2fa/factors/${id}`, accountToken)
    },
    // Not the last one.
    async ({ service, own, accountToken }) => {
      await addPasskey(service, newPasskey(), accountToken)
      const { replaces: id } = await inPlaceOfTheOld(service, own.accessToken)
      return service.delete(`/2fa/factors/${id}`, await accountTokenFor(service, own.accessToken))
    },
  ],
  'POST /2fa/passkeys, one more': ({ service, accountToken }) =>
    addPasskey(service, newPasskey(), accountToken),
  async 'POST /2fa/passkeys, the first one'({ service, ada, accountToken }) {
    await service.db.deleteFrom('totp_factors').where('account_id', '=', ada.id).execute()
    return addPasskey(service, newPasskey(), accountToken)
  },
  'POST /2fa/recovery-codes': ({ service, accountToken }) =>
    service.post('/2fa/recovery-codes', undefined, accountToken),
  async 'codes by mail switched off'({ service, own, accountToken }) {
    await service.put('/2fa/email', { enabled: true }, accountToken)
    const next = await accountTokenFor(service, own.accessToken)
    return service.put('/2fa/email', { enabled: false }, next)
  },
  'PUT /me/email': ({ service, accountToken }) =>
    service.put('/me/email', { email: 'new@example.com' }, accountToken),
  async 'POST /me/email/verify'({ service, own, accountToken }) {
    await service.put('/me/email', { email: 'new@example.com' }, accountToken)
    return service.post('/me/email/verify', { code: latestCode(service.smtp) }, own.accessToken)
  },
  async 'POST /me/email/verify by a link'({ service, accountToken }) {
    await service.put('/me/email', { email: 'new@example.com' }, accountToken)
    const { hash } = new URL(linkIn(service.smtp.mails.at(-1)))
    return service.post('/me/email/verify', { token: hash.slice(1) })
  },
  'DELETE /me': ({ service, accountToken }) => service.delete('/me', accountToken),
  'POST /logout': ({ service, own }) => service.post('/logout', undefined, own.accessToken),
  'POST /logout with a refresh token': ({ service, own }) =>
    service.post('/logout', { refresh_token: own.refreshToken }),
  'POST /token/revoke': ({ service, own }) => service.post('/token/revoke', { token: own.refreshToken }),
  'DELETE /sessions': ({ service, own }) => service.delete('/sessions', own.accessToken),
  'POST /password/reset': ({ service, resetToken }) =>
    service.post('/password/reset', { token: resetToken, new_password: ANOTHER }),
  async 'a refresh token used twice'({ service, own }) {
    await refresh(service, own.refreshToken)
    service.clock.advance(61)
    await refresh(service, own.refreshToken)
    return undefined
  },
  'keyturn users disable': operated((deps, account) => closeAccount(deps, account, operatorCaller())),
  'keyturn users delete': operated((deps, account) => deleteAccount(deps, { account }, operatorCaller())),
  'keyturn users reset-2fa': operated((deps, account) => resetFactors(deps, account, operatorCaller())),
  'keyturn users set-email': operated((deps, account) =>
    setEmailAsOperator(deps, account, 'new@example.com', operatorCaller()),
  ),
  'keyturn sessions end': operated(({ db, sessions }, { id }) =>
    inTransaction(db, (trx) => sessions.endAll(trx, id)),
  ),
}

async function begin(service: MailingService): Promise<Life & { mfaToken: string }> {
  const ada = await enrolWithAddress(service)
  const [own, other] = [await signIn(service, ada), await signIn(service, ada)]
  const mfaToken = await login(service)
  const resetToken = await mailedToken(service)
  const accountToken = await accountTokenFor(service, own.accessToken)
  return {
    service,
    ada,
    own,
    other,
    accountToken,
    mfaToken,
    resetToken,
  }
}

const [, ...rows] = tableRows(page('what-ends-what'), 'What ends what')
const word = (alive: boolean, many: boolean) => (alive ? (many ? 'stay' : 'stays') : many ? 'end' : 'ends')

t.test('the table has each cause', async (t) => {
  t.strictSame(
    rows.map(([cause]) => cause?.replaceAll('`', '')),
    Object.keys(CAUSES),
  )
})

for (const [name = '', ...cells] of rows) {
  const cause = name.replaceAll('`', '')
  for (const [index, bringAbout] of [CAUSES[cause] ?? []].flat().entries())
    t.test(`${cause}${index ? `, another way (${index})` : ''}`, async (t) => {
      const service = await startService(t, {
        mail: true,
        environment: { MFA_POLICY: 'optional', VERIFY_URL },
      })
      const life = await begin(service)
      const { own, other, mfaToken, resetToken } = life
      const othersToken = await accountTokenFor(service, other.accessToken)
      const answer = await bringAbout(life)
      if (answer) t.ok(answer.status < 300, `${answer.status} ${answer.text}`)

      const begun = answer?.body?.access_token
      if (begun) t.ok(await isAlive(service, begun), 'the new session is alive')
      const ownAlive = await isAlive(service, own.accessToken)
      const asking = begun ? `new${ownAlive ? ' beside the old' : ''}` : word(ownAlive, false)
      const said = [
        cells[0] === '–' && !ownAlive ? '–' : asking,
        word(await isAlive(service, other.accessToken), true),
        word((await service.post('/2fa/verify', { code: 'wrong' }, mfaToken)).status !== 401, true),
        word((await service.post('/2fa/setup', undefined, othersToken)).status === 200, true),
        word(
          (await service.post('/password/reset', { token: resetToken, new_password: 'a third long phrase' }))
            .status === 204,
          true,
        ),
      ]
      t.strictSame(said, cells.slice(0, 5), cause)
    })
}
