import { Type } from 'typebox'
import type { Factor } from '../../../src/factors/factor.ts'
import { CLOSED } from '../../../src/http/schemas.ts'
import { type Checked, check, type HandshakeAnswer, refused } from './handshake.ts'
import { beginRoutes, challengeRoutes, confirmRoutes } from './routes.ts'
import { HandshakeBody, PendingHandshakeSchema } from './schemas.ts'
import { activateKey, activeKeys, deleteKeys, keysAmong, spendChallenge } from './store.ts'
import { handshakeTables } from './tables.ts'

/**
 * A factor of the kind that passkeys are: keys of an account sign a challenge of the service, which was asked for with
 * the token that the answer comes with. It exists for the tests alone, and shows what it takes to add a factor.
 */
export const handshake: Factor<HandshakeAnswer, Checked> = {
  method: 'handshake',
  acr: 'aal2',
  answer: HandshakeBody,
  schemas: [PendingHandshakeSchema],
  tables: handshakeTables,
  routes: { 'mfa-or-account': beginRoutes, 'mfa-or-access': challengeRoutes, account: confirmRoutes },

  facts: (eb, accountId) => ({
    active: eb.exists(
      eb
        .selectFrom('handshake_keys')
        .select('id')
        .where('account_id', '=', accountId)
        .where('confirmed_at', 'is not', null),
    ),
  }),
  since: (eb, accountId) =>
    eb
      .selectFrom('handshake_keys')
      .select((keys) => keys.fn.min('confirmed_at').as('since'))
      .where('account_id', '=', accountId)
      .$asScalar(),
  state: (_account, { active = false }) => ({ active, answers: active, enrollable: true }),

  prepare: check,
  async redeem({ clock }, trx, { account, answer: { response }, prepared }) {
    if ('refused' in prepared) return null
    const signed = { ...response, accountId: account.id, boundTo: prepared.boundTo, keyId: response.key_id }
    return (await spendChallenge(trx, signed, 'active', clock.now())) ? { amr: ['pop'], acr: 'aal2' } : null
  },
  refusal: refused,
  async enrol({ clock }, trx, { account, answer: { response }, prepared }) {
    if ('refused' in prepared) return null
    const signed = { ...response, accountId: account.id, boundTo: prepared.boundTo, keyId: response.key_id }
    if (!(await spendChallenge(trx, signed, 'pending', clock.now()))) return null
    const since = clock.now()
    await activateKey(trx, response.key_id, since)
    return { amr: ['pop'], acr: 'aal2', replaced: null, since }
  },
  remove: deleteKeys,

  description: {
    member: 'handshake',
    schema: Type.Object({ keys: Type.Integer() }, CLOSED),
  },
  describe: async ({ db }, account) => ({ keys: (await activeKeys(db, account.id)).length }),
  list: async (db, account) =>
    (await activeKeys(db, account.id)).map(({ id, confirmedAt }) => ({
      ...{ id, name: 'Handshake key', createdAt: confirmedAt, lastUsedAt: null },
    })),
  show: async (_db, _account, { active }) => ({ handshake: active }),
  activeAmong: keysAmong,
}
