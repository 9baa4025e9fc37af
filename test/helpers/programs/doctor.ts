import { randomBytes } from 'node:crypto'
import { chmodSync } from 'node:fs'
import type { Test } from 'tap'
import { keyturnOn } from './keyturn.ts'

type Finding = { check: string; status: string; found: string; advice?: string }

/** A database that a service has used, in a folder of its owner alone, and how the doctor sees it. */
export async function startDoctor(t: Test, more: Record<string, string> = {}) {
  const folder = t.testdir({})
  chmodSync(folder, 0o700)
  const environment = {
    DATABASE_URL: `sqlite:${folder}/keyturn.db`,
    SECRET_KEY: randomBytes(32).toString('base64'),
    ...more,
  }
  const made = await keyturnOn(environment).withInput('correct horse battery', 'users', 'create', 'ada')
  if (made.code !== 0) throw new Error(made.stderr)
  const examine = async (changes: Record<string, string> = {}) => {
    const { code, stdout, stderr } = await keyturnOn({ ...environment, ...changes })('doctor', '--json')
    const { healthy, findings }: { healthy: boolean; findings: Finding[] } = JSON.parse(stdout)
    t.equal(healthy, code === 0)
    t.equal(stderr, '')
    for (const { status, advice } of findings) t.equal(status === 'ok', advice === undefined)
    const of = (check: string, status: string) =>
      findings
        .filter((finding) => finding.check === check && finding.status === status)
        .map(({ found }) => found)
        .join('\n')
    return { code, of }
  }
  return { folder, environment, examine }
}
