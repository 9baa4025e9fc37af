import { existsSync } from 'node:fs'
import { loadEnvFile } from 'node:process'

/** Reads `.env` in the working directory, if there is one. Variables that are already set win. */
export function readEnvFile(): void {
  if (existsSync('.env')) loadEnvFile('.env')
}
