import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { openSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { freePort } from '../helpers/programs/free-port.ts'
import { processTree } from './process-times.ts'
import { pausing } from './slice.ts'

const PROBE = fileURLToPath(new URL('probe.mjs', import.meta.url))
const START_PATIENCE_MS = 60_000

/**
 * What a process has used since it began, and how late its event loop was between two questions. `NaN` is what only a
 * process of Node.js says.
 */
export interface Usage {
  cpuMs: number
  rssBytes: number
  /** Its highest since the process began. */
  peakRssBytes: number
  delayP99Ms: number
}

/** A server in a process of its own, which says what it uses when it is asked, or of which the kernel says it. */
export interface MeasuredProcess {
  pid: number
  port: number
  /** From the start of the process to its first answer. */
  readyMs: number
  usage(at: 'begin' | 'end'): Promise<Usage>
  /** Sends it something and waits for its answer: a process of Node.js. */
  ask<T>(message: object): Promise<T>
  stop(): Promise<void>
}

/**
 * @param program what runs the command; Node.js by default. With another one, whatever it starts counts as well.
 * @param ready the path that answers 200 as soon as the server serves; `null` when it says so by a message.
 * @param logFile where its output goes: a service that is measured writes its log as it would anywhere.
 */
export async function startMeasured({
  program,
  command,
  environment,
  cwd,
  logFile,
  ready,
}: {
  program?: string
  /** For `node`: its options and a script. */
  command: readonly string[]
  environment: Record<string, string>
  cwd: string
  logFile: string
  ready: string | null
}): Promise<MeasuredProcess> {
  const port = await freePort()
  const log = openSync(logFile, 'a')
  const startedAt = performance.now()
  const child = spawn(program ?? process.execPath, program ? command : ['--import', PROBE, ...command], {
    cwd,
    env: { PATH: process.env.PATH, ...environment, PORT: String(port) },
    stdio: ['ignore', log, log, program ? 'ignore' : 'ipc'],
  })
  const kill = () => child.kill('SIGKILL')
  process.once('exit', kill)
  child.once('exit', () => process.off('exit', kill))
  if (ready === null) await once(child, 'message')
  else await untilReady(child, `http://127.0.0.1:${port}${ready}`, logFile)
  const readyMs = performance.now() - startedAt

  const ask = async <T>(message: object | string): Promise<T> => {
    const answer = once(child, 'message')
    child.send(message)
    return (await answer)[0] as T
  }
  return {
    pid: Number(child.pid),
    port,
    readyMs,
    usage: program ? async () => usageOfTree(Number(child.pid)) : (at) => ask<Usage>(at),
    ask,
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return
      const exited = once(child, 'exit')
      child.kill('SIGTERM')
      await exited
    },
  }
}

/** What a start took. */
export interface Started {
  readyMs: number
  usage: Usage
}

/** Starts a server, leaves it with nothing to do for so long, and ends it. */
export async function startAndEnd(start: () => Promise<MeasuredProcess>, idleMs = 0): Promise<Started> {
  const server = await start()
  await pausing(idleMs)
  const usage = await server.usage('end')
  await server.stop()
  return { readyMs: server.readyMs, usage }
}

/** Memory as the sum of `Pss`: what processes share counts once (proc_pid_smaps(5)). */
function usageOfTree(root: number): Usage {
  const tree = [...processTree(root)]
  const pssKib = (pid: number) =>
    Number(/^Pss: +(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1])
  return {
    cpuMs: tree.reduce((sum, [, { ms, ofEnded }]) => sum + ms + ofEnded, 0),
    rssBytes: tree.reduce((sum, [pid]) => sum + pssKib(pid) * 1024, 0),
    peakRssBytes: Number.NaN,
    delayP99Ms: Number.NaN,
  }
}

async function untilReady(child: ChildProcess, url: string, logFile: string): Promise<void> {
  const deadline = performance.now() + START_PATIENCE_MS
  for (;;) {
    const answered = await fetch(url).then(
      ({ ok }) => ok,
      () => false,
    )
    if (answered) return
    if (child.exitCode !== null || performance.now() > deadline)
      throw new Error(`A server did not start: see ${logFile}`)
    await pausing(5)
  }
}
