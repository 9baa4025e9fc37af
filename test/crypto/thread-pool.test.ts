import { readdirSync, readFileSync } from 'node:fs'
import { availableParallelism, constants, getPriority } from 'node:os'
import t from 'tap'
import { sharedEnvironment, startProcess } from '../helpers/programs/process.ts'

const skip =
  (process.platform !== 'linux' && 'threads have a priority of their own on Linux alone') ||
  (availableParallelism() === 1 && 'there is one core')

t.test('the threads that hash give way to the one that answers', { skip }, async (t) => {
  const { pid } = await startProcess(t, await sharedEnvironment(t))
  const priorities = (name: string) =>
    readdirSync(`/proc/${pid}/task`)
      .filter((id) => readFileSync(`/proc/${pid}/task/${id}/comm`, 'utf8').trim() === name)
      .map((id) => getPriority(Number(id)))
  const hashing = priorities('libuv-worker')
  t.ok(hashing.length >= 4, `${hashing.length} threads hash`)
  t.strictSame([...new Set(hashing)], [constants.priority.PRIORITY_LOW])
  t.equal(getPriority(pid), getPriority(), 'the thread that answers is left as it was')
})
