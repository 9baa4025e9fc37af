import type { Factors } from './factors.ts'
import type { FactorParts } from './parts.ts'

/** The parts of the service that this room uses. */
export interface FactorsRoom extends FactorParts {
  factors: Factors
}
