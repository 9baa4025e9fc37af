import { ConfigError } from './config.ts'
import { UnsealError } from './crypto/secret-box.ts'
import { DatabaseError } from './platform/database.ts'
import { ConnectionError, isDatabaseFault, OutcomeUnknownError } from './platform/database-errors.ts'
import { databaseFaultOf, explainFault } from './platform/database-faults.ts'

/** Explains what keeps the service or a command from starting, in words for the operator; `undefined` for a bug. */
export function explainFailure(error: unknown): string | undefined {
  if (error instanceof ConfigError || error instanceof DatabaseError) return error.message
  if (error instanceof ConnectionError || error instanceof OutcomeUnknownError)
    return `${error.message}: ${(error.cause as Error | undefined)?.message ?? 'nobody answers'}.`
  if (error instanceof UnsealError)
    return `SECRET_KEY does not open a value of the database (${error.message}). keyturn keys status says which keys it needs.`
  if (!isDatabaseFault(error)) return undefined
  const fault = databaseFaultOf(error)
  // Reading is refused, too, and the message names the table.
  if (fault.reason === 'forbidden')
    return `The database does not let its user do this: ${(error as Error).message}. ${fault.advice}`
  return fault.reason === 'failed' ? undefined : explainFault(fault)
}
