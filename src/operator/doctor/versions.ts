import { readFileSync } from 'node:fs'
import { type Finding, findingsOf } from './finding.ts'

const { ok, fail } = findingsOf('versions')

/** Keyturn itself, and the Node.js it runs on against what `package.json` asks for. */
export function checkVersions(): Finding[] {
  const { version, engines } = JSON.parse(
    readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'),
  )
  const words = `Keyturn ${version} on Node.js ${process.version}`
  const [wanted, running] = [engines.node.replace('>=', ''), process.versions.node]
  const isOld = running.localeCompare(wanted, 'en', { numeric: true }) < 0
  return isOld ? [fail(`${words}, which needs ${wanted}`, 'Run it with a newer Node.js.')] : [ok(words)]
}
