import manifest from '../package.json' with { type: 'json' }

/** The version of this package, as `package.json` says it. */
export const VERSION: string = manifest.version

/** The oldest Node.js that this package runs on, without the `>=` of `engines`. */
const OLDEST_NODE: string = manifest.engines.node.replace('>=', '')

/** What is wrong with a version of Node.js, such as `20.20.2`; `undefined` when it is new enough. */
export function faultOfNode(version: string): string | undefined {
  const isOld = version.localeCompare(OLDEST_NODE, 'en', { numeric: true }) < 0
  return isOld ? `Keyturn needs Node.js ${OLDEST_NODE} or newer; this is v${version}.` : undefined
}
