import { oauthCodes, type ProblemCode, problemCodes, problemStatus } from '../src/errors.ts'
import { texts } from '../src/texts/texts.ts'

/** The page with its two tables, of problems and of OAuth errors, as the catalogue has them. */
export function withCodes(page: string): string {
  const tables = [table('code', problemCodes), table('error', oauthCodes)]
  return page.replace(/(?:^\|.*\n)+/gm, () => tables.shift() ?? '')
}

function table(head: string, codes: readonly ProblemCode[]): string {
  const rows = codes.map((code) => `| ${problemStatus(code)} | \`${code}\` | ${texts.meanings[code]} |\n`)
  return `| status | ${head} | what it means |\n| --- | --- | --- |\n${rows.join('')}`
}
