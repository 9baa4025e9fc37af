import { ConfigError } from './config.ts'
import { UnsealError } from './crypto/secret-box.ts'
import { DatabaseError } from './platform/database.ts'
import { ConnectionError, OutcomeUnknownError } from './platform/database-errors.ts'
import { databaseFaultOf, explainFault } from './platform/database-faults.ts'

/** Explains what keeps the service or a command from starting, in words for the operator; `undefined` for a bug. */
export function explainFailure(error: unknown): string | undefined {
  if (error instanceof ConfigError || error instanceof DatabaseError) return error.message
  if (error instanceof ConnectionError || error instanceof OutcomeUnknownError)
    return `${error.message}: ${(error.cause as Error | undefined)?.message ?? 'nobody answers'}.`
  if (error instanceof UnsealError)
    return `SECRET_KEY does not open a value of the database (${error.message}). keyturn keys status says which keys it needs.`
  const fault = databaseFaultOf(error)
  if (String((error as { code?: unknown } | null)?.code).startsWith('SQLITE_') && fault.reason !== 'failed')
    return explainFault(fault)
  return undefined
}
