import { readFileSync } from 'node:fs'
import type { Test } from 'tap'
import { which } from '../programs/which.ts'
import { eventually } from '../requests/eventually.ts'

export const strace = which('strace')

/** What a process did to its database before an answer of it: a `write` to the log of SQLite, or a `sync` of it. */
export interface TracedAnswer {
  status: number
  calls: ('write' | 'sync')[]
}

/** Traces a process from its start. @returns the command to run it under, and what it did once it has ended. */
export function trace(t: Test): { under: string[]; answers(): Promise<TracedAnswer[]> } {
  const file = `${t.testdir({})}/trace`
  const calls = 'trace=pwrite64,fsync,fdatasync,write,writev,sendmsg,sendto'
  return {
    // Detached, so that the process that is started is the one that is traced.
    under: [strace ?? '', '-D', '-f', '-y', '-q', '-s', '16', '-e', calls, '-e', 'signal=none', '-o', file],
    async answers() {
      const text = () => readFileSync(file, 'utf8')
      // The first thread, with which the process ends; short numbers are padded.
      const [, thread] = /^(\d+) /.exec(text()) ?? []
      const ended = new RegExp(`^${thread} +\\+{3} (exited|killed)`, 'm')
      await eventually('the trace has its end', () => ended.test(text())).catch((error) => {
        throw new Error(text().split('\n').slice(-5).join('\n'), { cause: error })
      })
      return readTrace(text())
    },
  }
}

function readTrace(text: string): TracedAnswer[] {
  const answers: TracedAnswer[] = []
  let calls: TracedAnswer['calls'] = []
  for (const line of text.split('\n')) {
    const [, status] = /"HTTP\/1\.1 (\d{3})/.exec(line) ?? []
    if (/ pwrite64\(\d+<[^>]*-wal>/.test(line)) calls.push('write')
    else if (/ f(data)?sync\(\d+<[^>]*-wal>/.test(line)) calls.push('sync')
    else if (status) {
      answers.push({ status: Number(status), calls })
      calls = []
    }
  }
  return answers
}
