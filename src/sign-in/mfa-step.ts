import type { Static } from 'typebox'
import type { Clock } from '../platform/clock.ts'
import type { MfaTokens } from '../tokens/mfa-token.ts'
import type { Method } from '../two-factor/factors.ts'
import type { Challenge } from './challenges.ts'
import type { MfaStep } from './schemas.ts'

/** Writes the answer that owes a second factor, with the mfa token for it. */
export type DescribeMfaStep = (step: {
  challenge: Challenge
  enrolled: boolean
  methods: Method[]
}) => Static<typeof MfaStep>

export function makeDescribeMfaStep({
  mfaTokens,
  clock,
}: {
  mfaTokens: MfaTokens
  clock: Clock
}): DescribeMfaStep {
  return ({ challenge, enrolled, methods }) => ({
    mfa_required: true,
    mfa_token: mfaTokens.issue(challenge),
    token_type: 'Bearer',
    expires_in: Math.ceil((challenge.expiresAt - clock.now()) / 1000),
    enrolled,
    methods,
  })
}
