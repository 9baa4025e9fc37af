import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { globSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'
import { freePort } from '../programs/free-port.ts'
import { eventually } from '../requests/eventually.ts'

const ROOT = new URL('../../../', import.meta.url)
const README_URL = 'http://127.0.0.1:3000'

/** What is written for people, by its path: the front page, the pages of docs/, and the other files at the top. */
export const documents = new Map(
  [
    'README.md',
    'CONTRIBUTING.md',
    'SECURITY.md',
    'CHANGELOG.md',
    'src/sdk/README.md',
    ...globSync('docs/**/*.md', { cwd: ROOT }).sort(),
  ].map((path) => [path, readFileSync(new URL(path, ROOT), 'utf8')]),
)

/** A page of docs/, by its name. */
export function page(name: string): string {
  const text = documents.get(`docs/${name}.md`)
  if (text === undefined) throw new Error(`docs/ has no page ${name}.md`)
  return text
}

/** The rows of all tables in one section of a text, each as its cells. */
export function tableRows(text: string, heading: string): string[][] {
  const [, section = ''] = new RegExp(`^#+ ${heading}$(.*?)(?=^#+ |$(?![\\s\\S]))`, 'ms').exec(text) ?? []
  const rows = section.match(/^\|.*\|$/gm) ?? []
  return rows
    .filter((row) => !row.startsWith('| ---'))
    .map((row) => row.split(/(?<!\\)\|/).map((cell) => cell.trim()))
    .map((cells) => cells.slice(1, -1))
}

/** A block of code: its indentation, what stands behind the first fence, and the code. */
const BLOCK = /^( *)```([^\n]*)\n(.*?)^\1```$/gms

/** A text without its blocks of code, whose fences would pair with other backticks. */
export const proseOf = (text: string): string => text.replaceAll(BLOCK, '')

export const inBackticks = (text = ''): string[] =>
  [...text.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name)

/** A piece of code in a document, between fences. */
export interface CodeBlock {
  path: string
  language: string
  /** `run` or `recipe` or `file`, and a name: a test takes it by that name. */
  mark?: string
  name?: string
  code: string
}

export const codeBlocks: CodeBlock[] = [...documents].flatMap(([path, text]) =>
  [...text.matchAll(BLOCK)].map(([, indent = '', info = '', code = '']) => {
    const [language = '', mark, name] = info.split(/[ =]/)
    const lines = code.split('\n').map((line) => line.slice(indent.length))
    return { path, language, code: lines.join('\n'), ...(mark && name && { mark, name }) }
  }),
)

/** The code of the one block that is marked with this name. */
export function codeNamed(name: string, marks: readonly string[]): string {
  const found = codeBlocks.filter((block) => block.name === name && marks.includes(block.mark ?? ''))
  const [block] = found
  if (block === undefined || found.length > 1) throw new Error(`${found.length} blocks are marked ${name}`)
  return block.code
}

/** What a reader copies: a code block that is marked with `run=<name>`, for a service at another address. */
export const markedBlock = (name: string, url: string): string =>
  codeNamed(name, ['run']).replaceAll(README_URL, url)

/** The names of all marked blocks, in the order of each document that has some. */
export function markedBlockNames(): string[][] {
  return [...documents.keys()]
    .map((page) =>
      codeBlocks.flatMap(({ path, mark, name }) => (path === page && mark === 'run' && name ? [name] : [])),
    )
    .filter((names) => names.length > 0)
}

/** The machine's own programs, without what npm puts in front while a script of this project runs. */
const machinePath = (process.env.PATH ?? '')
  .split(delimiter)
  .filter((folder) => !folder.includes('node_modules'))
  .join(delimiter)

/** The environment of somebody who has just opened a terminal. */
export const newcomersEnvironment = { PATH: machinePath, HOME: process.env.HOME }

/**
 * Runs `npm start` as the README says, on a free port and an empty folder for the data.
 *
 * @param audience of tokens, in addition to the service itself.
 * @returns the address.
 */
export async function npmStart(t: Test, audience: string): Promise<string> {
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const child = spawn('npm', ['start'], {
    cwd: fileURLToPath(ROOT),
    env: {
      ...newcomersEnvironment,
      PORT: String(port),
      AUDIENCE: `${url},${audience}`,
      DATABASE_URL: `sqlite:${t.testdir()}/keyturn.db`,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  })
  const output = collect(child)
  const ended = once(child, 'exit')
  t.teardown(async () => {
    // npm and the service: the whole group.
    if (child.exitCode === null && child.pid) process.kill(-child.pid, 'SIGINT')
    await ended
  })

  await eventually('npm start serves', async () => {
    if (child.exitCode !== null) throw new Error(`npm start does not serve:\n${output()}`)
    return (await fetch(`${url}/readyz`).catch(() => null))?.ok === true
  })
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
      const end = `\n${randomUUID()}\n`
      child.stdin.write(
        `${block}${typed === undefined ? '' : `${typed}\n`}printf '${end.replaceAll('\n', '\\n')}'\n`,
      )
      while (!output().endsWith(end)) await once(child.stdout, 'data')
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
