import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { text } from 'node:stream/consumers'
import t from 'tap'
import { makeLogger } from '../../src/platform/logger.ts'
import { VERSION } from '../../src/version.ts'

/** The log is written behind the back of the requests. What it says of the end of the process must be there all the same. */

const LINES = 2000

const ENDS = {
  'an error that nobody caught': "throw new Error('nobody catches this')",
  'a rejection that nobody caught': "Promise.reject(new Error('nobody catches this'))",
  'process.exit': 'process.exit(1)',
  'nothing left to do': '',
}

for (const [name, end] of Object.entries(ENDS))
  t.test(`no line is lost when the process ends by ${name}`, async (t) => {
    for (const to of ['pipe', 'file'] as const) {
      const script = `
        const { makeLogger } = await import(${JSON.stringify(import.meta.resolve('../../src/platform/logger.ts'))})
        const logger = makeLogger('info')
        for (let i = 0; i < ${LINES / 2}; i += 1) logger.info({ i }, 'before')
        await new Promise((resolve) => setTimeout(resolve, 5))
        for (let i = ${LINES / 2}; i < ${LINES}; i += 1) logger.info({ i }, 'last words')
        ${end}`
      const lines = await outputOf(script, to, `${t.testdir()}/log`)
      const numbers = lines.map((line) => JSON.parse(line).i)
      t.strictSame(numbers, [...Array(LINES).keys()], to)
    }
  })

t.test(
  'a disk that is full behind the log ends nothing',
  { skip: !existsSync('/dev/full') && 'there is no /dev/full' },
  async (t) => {
    const script = `
    const { makeLogger } = await import(${JSON.stringify(import.meta.resolve('../../src/platform/logger.ts'))})
    const logger = makeLogger('info')
    for (let turn = 0; turn < 3; turn += 1) {
      logger.info('nowhere to go')
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    process.stderr.write('still there')`
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', openSync('/dev/full', 'w'), 'pipe'],
    })
    const said = text(child.stderr as NodeJS.ReadableStream)
    t.strictSame(await once(child, 'close'), [0, null])
    t.equal(await said, 'still there')
  },
)

/** The second line: nothing hands a secret to the logger, until the day somebody logs a request or a body whole. */
t.test('what is called like a secret is censored, three levels deep, in whatever is logged', async (t) => {
  const lines: string[] = []
  const logger = makeLogger('info', { write: (line) => void lines.push(line) })
  class Request {
    headers = { authorization: 'Bearer planted', host: 'id.example' }
    body = { password: 'planted', username: 'ada' }
  }
  logger.info({ password: 'planted', username: 'ada' }, 'a body')
  logger.info({ request: new Request() }, 'a request')
  const sent = { account_token: 'planted', client_secret: 'planted', enrolment_code: 'planted' }
  logger.info({ sent, headers: { 'idempotency-key': 'planted' } }, 'what else is sent')
  logger.info({ requests: [{ code: 'planted' }, { at: new Date(0) }] }, 'a list')
  logger.child({ token: 'planted', request_id: '1' }).info('a child')
  logger.error({ err: Object.assign(new Error('broken'), { secret: 'planted' }) }, 'an error')
  t.equal(lines.length, 6)
  t.notMatch(lines.join(''), 'planted')
  const [body, request, , list, child, error] = lines.map((line) => JSON.parse(line))
  t.equal(body.username, 'ada')
  t.strictSame(request.request.headers, { authorization: '[redacted]', host: 'id.example' })
  t.strictSame(list.requests, [{ code: '[redacted]' }, { at: '1970-01-01T00:00:00.000Z' }])
  t.equal(child.request_id, '1')
  t.match(error.err, { type: 'Error', message: 'broken', secret: '[redacted]' })
})

t.test('each line tells the process and the version it is of', async (t) => {
  const lines: string[] = []
  makeLogger('info', { write: (line) => void lines.push(line) })
    .child({ request_id: '1' })
    .info('a child')
  t.match(JSON.parse(lines.join('')), { instance: `${hostname()}:${process.pid}`, version: VERSION })
})

t.test('the code of an error is logged: it names its kind', async (t) => {
  const lines: string[] = []
  const logger = makeLogger('info', { write: (line) => void lines.push(line) })
  const err = Object.assign(new Error('database or disk is full'), { code: 'SQLITE_FULL', token: 'planted' })
  logger.error({ err }, 'request failed')
  t.match(JSON.parse(lines.join('')).err, { code: 'SQLITE_FULL', token: '[redacted]' })
})

async function outputOf(script: string, to: 'pipe' | 'file', path: string): Promise<string[]> {
  const file = openSync(path, 'w')
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', to === 'file' ? file : 'pipe', 'ignore'],
    env: { PATH: process.env.PATH },
  })
  let text = ''
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk
  })
  await once(child, 'close')
  closeSync(file)
  if (to === 'file') text = readFileSync(path, 'utf8')
  return text.trimEnd().split('\n')
}
