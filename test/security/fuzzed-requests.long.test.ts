// The attack: requests that nobody would think of, to every route: half right, hostile, with any token or none.
import t from 'tap'
import { fuzz } from '../helpers/requests/fuzz.ts'
import { onPostgres } from '../helpers/service/database.ts'

t.setTimeout(1_800_000)

/** What another database may take amiss shows in fewer. */
const requests = onPostgres ? 1_500 : 5_000

/** What only a code grants that was mailed for just this, a passkey, or members that fit each other: too seldom by chance. */
const NEEDS_MORE = [
  ...['POST /password/reset', 'POST /me/email/verify'],
  ...['POST /token', 'POST /login/passkey', 'POST /2fa/passkeys', 'POST /2fa/passkeys/challenge'],
]

t.test('thousands of arbitrary requests are answered as the document says', (t) =>
  fuzz(t, {
    requests,
    policy: 'required',
    mustGrant: (one) => !['DELETE /2fa', ...NEEDS_MORE].includes(one),
  }),
)

t.test('so are thousands where the second factor is optional', (t) =>
  fuzz(t, { requests, policy: 'optional', mustGrant: (one) => !NEEDS_MORE.includes(one) }),
)
