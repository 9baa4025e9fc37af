import t from 'tap'
import { newId } from '../../src/platform/ids.ts'
import { testClock } from '../helpers/service/service.ts'

/** Events of one request fall into one millisecond; a page of them still tells what came first. */
t.test('ids sort in the order they were made, also within a millisecond', async (t) => {
  const clock = testClock()
  const ids = Array.from({ length: 1000 }, () => newId(clock))
  t.strictSame(ids.toSorted(), ids)
  t.equal(new Set(ids).size, ids.length)
})
