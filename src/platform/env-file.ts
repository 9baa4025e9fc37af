import { existsSync } from 'node:fs'
import { loadEnvFile } from 'node:process'

/** Reads `.env` in the working directory, if there is one; what the environment already has comes first. */
export function readEnvFile(): void {
  if (existsSync('.env')) loadEnvFile('.env')
}
