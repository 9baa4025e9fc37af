import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'
import { freePort } from './free-port.ts'

const ROOT = new URL('../../', import.meta.url)
const README_URL = 'http://127.0.0.1:3000'
const START_PATIENCE_MS = 30_000
const BLOCK_PATIENCE_MS = 30_000

export const readme = readFileSync(new URL('README.md', ROOT), 'utf8')

/** What a reader copies: a code block that is marked with `run=<name>`, for a service at another address. */
export function readmeBlock(name: string, url: string): string {
  const [, text] = new RegExp(`^\`\`\`\\w+ run=${name}\\n(.*?)^\`\`\`$`, 'ms').exec(readme) ?? []
  if (text === undefined) throw new Error(`README.md has no block with run=${name}`)
  return text.replaceAll(README_URL, url)
}

/** The names of all marked blocks in order. */
export function readmeBlockNames(): string[] {
  return [...readme.matchAll(/^```\w+ run=(\S+)$/gm)].map(([, name = '']) => name)
}

/** The machine's own programs, without what npm puts in front while a script of this project runs. */
const machinePath = (process.env.PATH ?? '')
  .split(delimiter)
  .filter((folder) => !folder.includes('node_modules'))
  .join(delimiter)

/** The environment of somebody who has just opened a terminal. */
export const newcomersEnvironment = { PATH: machinePath, HOME: process.env.HOME }

/** Runs `npm start` as the README says, on a free port and an empty folder for the data. @returns the address. */
export async function npmStart(t: Test): Promise<string> {
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const child = spawn('npm', ['start'], {
    cwd: fileURLToPath(ROOT),
    env: { ...newcomersEnvironment, PORT: String(port), DATABASE_URL: `sqlite:${t.testdir()}/keyturn.db` },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  })
  const output = collect(child)
  const ended = once(child, 'exit')
  t.teardown(async () => {
    // npm and the service: the whole group.
    if (child.exitCode === null && child.pid) process.kill(-child.pid, 'SIGTERM')
    await ended
  })

  const deadline = Date.now() + START_PATIENCE_MS
  while (!(await fetch(`${url}/readyz`).catch(() => null))?.ok) {
    if (child.exitCode !== null || Date.now() > deadline)
      throw new Error(`npm start does not serve:\n${output()}`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  return url
}

/** A shell that blocks are pasted into, one after the other; it keeps its variables. */
export interface Shell {
  /** @param typed what the person types when the block asks. @returns what the block printed. */
  paste(block: string, typed?: string): Promise<string>
}

export function openShell(t: Test, environment: Record<string, string> = {}): Shell {
  const child = spawn('bash', [], {
    env: { ...newcomersEnvironment, ...environment },
    cwd: tmpdir(),
    stdio: ['pipe', 'pipe', 'ignore'],
  })
  t.teardown(() => child.kill())
  const output = collect(child)
  child.stdin.write('exec 2>&1\n')

  return {
    async paste(block, typed) {
      const start = output().length
      const signal = AbortSignal.timeout(BLOCK_PATIENCE_MS)
      const end = `\n${randomUUID()}\n`
      child.stdin.write(
        `${block}${typed === undefined ? '' : `${typed}\n`}printf '${end.replaceAll('\n', '\\n')}'\n`,
      )
      while (!output().endsWith(end)) await once(child.stdout, 'data', { signal })
      return output().slice(start, -end.length)
    },
  }
}

function collect(child: ChildProcess): () => string {
  let text = ''
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
    })
  return () => text
}
