import { ConfigError, readConfig } from '../../../src/config.ts'

/** What keeps a service from starting with these settings, in order; nothing where it starts. */
export function faultsOf(environment: Record<string, string>): readonly string[] {
  try {
    readConfig(environment)
    return []
  } catch (error) {
    if (error instanceof ConfigError) return error.faults
    throw error
  }
}
