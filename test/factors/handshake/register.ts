import { migrations } from '../../../migrations/index.ts'
import type { Factor } from '../../../src/factors/factor.ts'
import { factors } from '../../../src/factors/registry.ts'
import { factorRules } from '../../helpers/service/invariants/factors.ts'
import { handshake } from './factor.ts'
import * as handshakeTables from './migration.ts'

// What a commit that adds this factor would add outside of its folder: a line of the registry, one of the timeline of
// migrations, and one of what the invariants watch. Imported first, in a process of its own: schemas are made from the
// registry while the service is loaded.
;(factors as Factor[]).push(handshake)
migrations['9999-handshake'] = handshakeTables
factorRules.push({
  method: 'handshake',
  amr: /^(pwd )?pop mfa$/,
  acr: 'aal2',
  accepted: ['code_accepted handshake', 'factor_enrolled handshake'],
  singleUse: ['handshake_challenges', 'used_at'],
})
