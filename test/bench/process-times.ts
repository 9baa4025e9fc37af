import { readdirSync, readFileSync } from 'node:fs'

/** What the kernel counts CPU time in. */
const TICK_MS = 10

/** A process or thread, with the CPU time in ms that it has had, and that its children had which have ended. */
export interface ProcessTimes {
  name: string
  parent: number
  ms: number
  ofEnded: number
}

/**
 * Reads proc(5), /proc/pid/stat, where the name is in parentheses and may hold anything.
 *
 * @param folder below /proc: `<pid>` or `<pid>/task/<tid>`.
 * @returns `undefined` when it has ended.
 */
export function processTimes(folder: string): ProcessTimes | undefined {
  try {
    const [, name = '', rest = ''] = /\((.*)\) (.*)/s.exec(readFileSync(`/proc/${folder}/stat`, 'utf8')) ?? []
    const fields = rest.split(' ').map(Number)
    const ms = (...indexes: number[]) => indexes.reduce((sum, at) => sum + (fields[at] ?? 0) * TICK_MS, 0)
    return { name, parent: fields[1] ?? 0, ms: ms(11, 12), ofEnded: ms(13, 14) }
  } catch {
    return undefined
  }
}

/** A process and all that it has started, by their ids. */
export function processTree(root: number): Map<number, ProcessTimes> {
  const all = new Map(
    readdirSync('/proc').flatMap((pid) => {
      const times = /^\d+$/.test(pid) && processTimes(pid)
      return times ? [[Number(pid), times] as const] : []
    }),
  )
  const isOfTree = (pid: number): boolean => {
    const parent = all.get(pid)?.parent
    return pid === root || (parent !== undefined && isOfTree(parent))
  }
  return new Map([...all].filter(([pid]) => isOfTree(pid)))
}
