import { faultOfNode, OLDEST_NODE, VERSION } from '../../version.ts'
import { type Finding, findingsOf } from './finding.ts'

const { ok, fail } = findingsOf('versions')

/** The version of Keyturn, and that of Node.js against the one that `package.json` requires. */
export function checkVersions(): Finding[] {
  const words = `Keyturn ${VERSION} on Node.js ${process.version}`
  return faultOfNode(process.versions.node)
    ? [fail(`${words}, which needs ${OLDEST_NODE}`, 'Run it with a newer Node.js.')]
    : [ok(words)]
}
