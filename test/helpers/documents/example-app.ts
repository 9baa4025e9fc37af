import { execFile } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { example } from './examples.ts'

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))

/** A file as its origin serves it. */
export interface ServedFile {
  headers: Record<string, string>
  text: string
}

/**
 * A file of the single-page example, in the folder of a person who has installed the client there, under the policy that
 * docs/single-page-apps.md has for it; `null` where there is none.
 */
export async function exampleAppFile(path: string, issuer: string): Promise<ServedFile | null> {
  if (path === '/')
    return {
      headers: {
        'content-type': 'text/html; charset=utf-8',
        'content-security-policy': policy.replace('https://id.example.com', issuer),
      },
      text: example('single-page-app/index.html', issuer),
    }
  const headers = { 'content-type': 'text/javascript' }
  if (path === '/app.js') return { headers, text: example('single-page-app/app.js', issuer) }
  installed ??= install()
  const text = (await installed).get(path)
  return text === undefined ? null : { headers, text }
}

const policy = policyOf(readFileSync(join(ROOT, 'docs/single-page-apps.md'), 'utf8'))

function policyOf(markdown: string): string {
  const [, policy = ''] = /^Content-Security-Policy: ((?:.+\n)+?)```/m.exec(markdown) ?? []
  return policy.replace(/\s*\n\s*/g, ' ').trim()
}

let installed: Promise<Map<string, string>> | undefined

/** What `npm install keyturn-client` brings: the client as packing builds it, and what it depends on. */
async function install(): Promise<Map<string, string>> {
  const built = mkdtempSync(join(tmpdir(), 'keyturn-client-'))
  try {
    const tsc = join(ROOT, 'node_modules/typescript/bin/tsc')
    const parameters = ['-p', join(ROOT, 'src/sdk'), '--outDir', built, '--noCheck', '--declaration', 'false']
    // By way of env, so that the test runner does not put its own instruments into the process.
    await promisify(execFile)('env', ['-u', 'NODE_OPTIONS', process.execPath, tsc, ...parameters])
    return new Map([
      ...filesIn(built, '/node_modules/keyturn-client/dist'),
      ...filesIn(join(ROOT, 'node_modules/openapi-fetch/dist'), '/node_modules/openapi-fetch/dist'),
    ])
  } finally {
    rmSync(built, { recursive: true })
  }
}

const filesIn = (folder: string, path: string) =>
  readdirSync(folder).map((name) => [`${path}/${name}`, readFileSync(join(folder, name), 'utf8')] as const)
