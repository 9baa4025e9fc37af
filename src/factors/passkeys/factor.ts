import { Type } from 'typebox'
import { alreadyEnrolled, notEnrolled } from '../../errors.ts'
import { CLOSED } from '../../http/schemas.ts'
import { newId } from '../../platform/ids.ts'
import { passkeyAmr } from '../../tokens/assurance.ts'
import { canHavePasskeys } from '../../values/relying-party.ts'
import { answererId } from '../bound-to.ts'
import { type Binding, type Factor, least } from '../factor.ts'
import { factorLimitReached, passkeyRejected } from '../problems.ts'
import {
  type Asserted,
  checkAssertion,
  checkRegistration,
  type PasskeyAnswer,
  type Refusal,
  type Registered,
} from './ceremony.ts'
import { ANYBODY, type Question } from './challenge.ts'
import { defaultName } from './names.ts'
import { MOST_PASSKEYS, userHandleOf } from './options.ts'
import { challengeRoutes, createRoutes, signInRoutes } from './routes.ts'
import { AssertionSchema, FactorAddedSchema, PasskeyOptionsSchema } from './schemas.ts'
import {
  findForeignRpId,
  findPasskey,
  insertPasskey,
  listPasskeys,
  type Passkey,
  passkeysAmong,
  removePasskeys,
  renamePasskey,
  spendChallenge,
  usePasskey,
} from './store.ts'
import { passkeyTables } from './tables.ts'

/** What came of an answer before its transaction. */
type Checked = { refused: Refusal } | Registered | (Asserted & { passkey: Passkey })

/** Passkeys and security keys (WebAuthn Level 3): what a phishing page is told is of no use to it. */
export const passkeys: Factor<PasskeyAnswer, Checked, 'active'> = {
  method: 'passkey',
  acr: 'aal2',
  unguessable: true,
  phishingResistant: true,
  // By the user handle.
  boundToHashKey: true,
  answer: Type.Object({ method: Type.Literal('passkey'), credential: AssertionSchema }, CLOSED),
  schemas: [FactorAddedSchema, PasskeyOptionsSchema],
  tables: passkeyTables,
  routes: {
    public: signInRoutes,
    'mfa-or-account': createRoutes,
    'mfa-or-access': challengeRoutes,
  },

  facts: (eb, accountId) => ({
    active: eb.exists(
      eb
        .selectFrom('passkeys')
        .select('id')
        .where('account_id', '=', accountId)
        .where('removed_at', 'is', null),
    ),
  }),
  since: (eb, accountId) =>
    eb
      .selectFrom('passkeys')
      .select(least('created_at').as('since'))
      .where('account_id', '=', accountId)
      .where('removed_at', 'is', null)
      .$asScalar(),
  state: (_account, { active }, { relyingParty }) => ({
    active,
    answers: active,
    enrollable: canHavePasskeys(relyingParty),
  }),

  async prepare(parts, account, answer, binding): Promise<Checked> {
    if (answer.registration) {
      const question = questionOf('create', account.id, binding)
      const checked = await checkRegistration(parts, answer.registration, question)
      if (typeof checked === 'string') return { refused: checked }
      return (await findPasskey(parts.db, checked.registration.credential.id))
        ? { refused: 'credential' }
        : checked
    }
    const { credential } = answer
    const passkey = await findPasskey(parts.db, credential.id)
    const handle = userHandleOf(parts, account.id)
    // Alone it has to say whose it is.
    const userHandle = credential.response.userHandle ?? (binding.to === 'sign-in' ? null : handle)
    if (passkey?.accountId !== account.id || passkey.removedAt !== null || userHandle !== handle)
      return { refused: 'credential' }
    const question = binding.to === 'sign-in' ? ANYBODY : questionOf('verify', account.id, binding)
    const alone =
      binding.to === 'sign-in' || (binding.to === 'session' && !binding.session.amr.includes('pwd'))
    const checked = await checkAssertion(parts, credential, question, { passkey, alone })
    if (typeof checked === 'string') return { refused: checked }
    return counterFell(passkey, checked) ? { refused: 'counter' } : { ...checked, passkey }
  },

  async redeem({ clock }, trx, { account, answer, facts, prepared }) {
    if (answer.registration) throw alreadyEnrolled()
    if (!facts.active) throw notEnrolled()
    if (!('assertion' in prepared)) return null
    const { assertion, passkey } = prepared
    if (!(await spendChallenge(trx, { ...prepared, accountId: account.id }))) return null
    const { newCounter: signCount, credentialBackedUp: backedUp, userVerified } = assertion
    if (!(await usePasskey(trx, { ...passkey, signCount, backedUp }, clock.now()))) return null
    return { ...shown(passkey.backupEligible, userVerified), since: passkey.createdAt }
  },
  rejected: (prepared) =>
    'refused' in prepared && prepared.refused === 'counter' ? 'passkey_counter_fell' : 'code_rejected',
  // One that was right before its transaction has come too late for its challenge.
  refusal: (prepared, { attemptsLeft }) =>
    passkeyRejected('refused' in prepared ? prepared.refused : 'challenge', attemptsLeft),

  async enrol({ clock, relyingParty }, trx, { account, answer, prepared }) {
    if ('refused' in prepared) return null
    if (!('registration' in prepared) || !answer.registration) throw notEnrolled()
    const { name, userAgent } = answer
    if ((await listPasskeys(trx, account.id)).length >= MOST_PASSKEYS) throw factorLimitReached(MOST_PASSKEYS)
    if (!(await spendChallenge(trx, { ...prepared, accountId: account.id }))) return null
    const { aaguid, credential, credentialBackedUp, credentialDeviceType, userVerified } =
      prepared.registration
    const since = clock.now()
    const backupEligible = credentialDeviceType === 'multiDevice'
    const id = newId(clock)
    const isNew = await insertPasskey(trx, {
      id,
      accountId: account.id,
      credentialId: credential.id,
      publicKey: Buffer.from(credential.publicKey).toString('base64url'),
      rpId: relyingParty.id,
      name: name ?? defaultName(aaguid, userAgent),
      transports: credential.transports ?? [],
      signCount: credential.counter,
      backupEligible,
      backedUp: credentialBackedUp,
      createdAt: since,
      lastUsedAt: null,
      removedAt: null,
    })
    if (!isNew) return null
    return { ...shown(backupEligible, userVerified), replaced: null, since, id }
  },
  remove: removePasskeys,

  async list(db, account) {
    return (await listPasskeys(db, account.id)).map(({ id, name, createdAt, lastUsedAt, backedUp }) => ({
      id,
      name,
      createdAt,
      lastUsedAt,
      backedUp,
    }))
  },
  rename: renamePasskey,
  description: {
    member: 'passkeys',
    schema: Type.Object(
      { rp_id: Type.String(), user_id: Type.String(), credential_ids: Type.Array(Type.String()) },
      { ...CLOSED, description: 'The input for the Signal API (WebAuthn Level 3 section 5.1.10)' },
    ),
  },
  describe: async (parts, account) => ({
    rp_id: parts.relyingParty.id,
    user_id: userHandleOf(parts, account.id),
    credential_ids: (await listPasskeys(parts.db, account.id)).map(({ credentialId }) => credentialId),
  }),
  show: async (db, account) => ({ passkeys: (await listPasskeys(db, account.id)).length }),
  activeAmong: passkeysAmong,
  async faultAtStart({ db, relyingParty }) {
    const other = await findForeignRpId(db, relyingParty.id)
    return other === undefined
      ? undefined
      : `WEBAUTHN_RP_ID is ${relyingParty.id}, but there are passkeys of ${other}, which would be of no use: a passkey is bound to its relying party for life. Set WEBAUTHN_RP_ID=${other}.`
  },
}

/** RFC 8176: a key in hardware, or one that is copied among devices; and whether its owner was verified. */
const shown = (backupEligible: boolean, userVerified: boolean) =>
  ({ amr: passkeyAmr({ backupEligible, userVerified }), acr: 'aal2' }) as const

function questionOf(purpose: 'create' | 'verify', accountId: string, binding: Binding): Question {
  const boundTo = answererId(binding)
  if (boundTo === undefined) throw new Error(`A passkey answers no question of ${binding.to}`)
  return { purpose, accountId, boundTo }
}

/** Someone has a copy of the key, or its authenticator is broken. The write decides again. */
const counterFell = ({ backupEligible, signCount }: Passkey, { assertion: { newCounter } }: Asserted) =>
  !backupEligible && (newCounter > 0 || signCount > 0) && newCounter <= signCount
