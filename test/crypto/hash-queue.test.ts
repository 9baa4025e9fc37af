import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { type HashQueue, makeHashQueue, QueueFullError } from '../../src/crypto/hash-queue.ts'

/**
 * Each hash takes 19 MiB and a core for a while. A burst of logins must neither exhaust the memory nor wait for
 * minutes: a few run, some wait, the rest are told at once to come back.
 */

/** Work that ends when the test says so. */
function heldWork<T>(value: T) {
  const { promise, resolve, reject } = Promise.withResolvers<T>()
  let started = false
  const work = () => {
    started = true
    return promise
  }
  return { work, finish: () => resolve(value), fail: reject, started: () => started }
}

t.test('never runs more than it may at once, whatever comes', async (t) => {
  const queue = makeHashQueue({ concurrency: 3, capacity: 1000 })
  let running = 0
  let most = 0
  const results = await Promise.all(
    Array.from({ length: 200 }, (_, i) =>
      queue.run(async () => {
        running += 1
        most = Math.max(most, running)
        await sleep(Math.random() * 2)
        running -= 1
        return i
      }),
    ),
  )
  t.equal(most, 3)
  t.strictSame(
    results,
    Array.from({ length: 200 }, (_, i) => i),
    'each caller gets its own result',
  )
  t.equal(queue.waiting(), 0)
})

t.test('serves in the order of arrival', async (t) => {
  const queue = makeHashQueue({ concurrency: 1, capacity: 10 })
  const order: number[] = []
  await Promise.all([1, 2, 3, 4].map((i) => queue.run(async () => order.push(i))))
  t.strictSame(order, [1, 2, 3, 4])
})

t.test('refuses beyond its capacity, at once and without starting the work', async (t) => {
  const queue = makeHashQueue({ concurrency: 1, capacity: 2 })
  const held = heldWork('done')
  const accepted = [queue.run(held.work), queue.run(held.work), queue.run(held.work)]
  t.equal(queue.waiting(), 2)
  const refused = heldWork('never')
  const error = await queue.run(refused.work).catch((error) => error)
  t.type(error, QueueFullError)
  t.ok(Number.isInteger(error.retryAfter) && error.retryAfter >= 1, `${error.retryAfter} s`)
  t.notOk(refused.started())
  held.finish()
  t.strictSame(await Promise.all(accepted), ['done', 'done', 'done'])
  t.equal(await queue.run(async () => 'free again'), 'free again')
})

/** Held work of which so many pieces are handed in. */
function handIn(queue: HashQueue, count: number) {
  const held = Array.from({ length: count }, (_, index) => heldWork(index))
  const results = held.map(({ work }) => queue.run(work))
  return {
    results,
    running: () => held.filter(({ started }) => started()).length,
    async finish(index: number) {
      held[index]?.finish()
      await results[index]
    },
  }
}

const refusals = (queue: HashQueue, count: number) =>
  Promise.allSettled(Array.from({ length: count }, () => queue.admit()))

t.test('in a flood of refusals fewer run at a time, and after it as many as before', async (t) => {
  const queue = makeHashQueue({ concurrency: 3, inFlood: 2, capacity: 20 })
  const work = handIn(queue, 23)
  t.equal(work.running(), 3)
  await refusals(queue, 100)
  await work.finish(0)
  t.equal(work.running(), 3, 'a core is left to others: two run, one has ended')
  let done = 1
  // Each that ends makes the flood a thing of the past a little more.
  while (work.running() - done < 3 && done < 20) await work.finish(done++)
  t.ok(done > 2 && done < 15, `three at a time again after ${done}`)
  while (done < 23) await work.finish(done++)
  t.strictSame(await Promise.all(work.results), [...Array(23).keys()])
})

t.test('a busy hour is no flood: a few refusals for each piece of work that is done', async (t) => {
  const queue = makeHashQueue({ concurrency: 3, inFlood: 1, capacity: 20 })
  const work = handIn(queue, 23)
  for (let done = 0; done < 20; done += 1) {
    await refusals(queue, 4)
    await work.finish(done)
    t.equal(work.running(), Math.min(23, done + 4))
    if (done + 4 > 23) break
    work.results.push(queue.run(async () => -1))
  }
  for (let index = 20; index < 23; index += 1) await work.finish(index)
  await Promise.all(work.results)
})

t.test('so many are held back and no more: the others are refused at once', async (t) => {
  const queue = makeHashQueue({ concurrency: 1, capacity: 0 })
  const held = heldWork('done')
  const running = queue.run(held.work)
  let refused = 0
  const all = Array.from({ length: 1_200 }, () => queue.admit().catch(() => (refused += 1)))
  // No timer fires in between.
  for (let turn = 0; turn < 10; turn += 1) await null
  t.equal(refused, 200)
  await Promise.all(all)
  t.equal(refused, 1_200)
  held.finish()
  await running
})

t.test('whoever asks only whether there is a place takes none', async (t) => {
  const queue = makeHashQueue({ concurrency: 1, capacity: 0 })
  await queue.admit()
  const held = heldWork('done')
  const result = queue.run(held.work)
  await t.rejects(queue.admit(), { name: 'QueueFullError' })
  held.finish()
  t.equal(await result, 'done')
  await queue.admit()
})

t.test('with no capacity nobody waits', async (t) => {
  const queue = makeHashQueue({ concurrency: 1, capacity: 0 })
  const held = heldWork(1)
  const first = queue.run(held.work)
  await t.rejects(
    queue.run(async () => 2),
    { name: 'QueueFullError' },
  )
  held.finish()
  t.equal(await first, 1)
})

t.test('the more wait, and the longer they take, the later the refused should come back', async (t) => {
  const queue = makeHashQueue({ concurrency: 1, capacity: 40 })
  await queue.run(() => sleep(100))
  const held = heldWork(0)
  const accepted = Array.from({ length: 41 }, () => queue.run(held.work))
  const error = await queue.run(held.work).catch((error) => error)
  t.ok(error.retryAfter > 1, `${error.retryAfter} s`)
  held.finish()
  await Promise.all(accepted)
})

t.test('drops work whose client has gone away, and gives its place to the next', async (t) => {
  const queue = makeHashQueue({ concurrency: 1, capacity: 1 })
  const held = heldWork('first')
  const first = queue.run(held.work)
  const client = new AbortController()
  const dropped = heldWork('dropped')
  const waiting = queue.run(dropped.work, { signal: client.signal })
  await t.rejects(
    queue.run(async () => 'no room'),
    { name: 'QueueFullError' },
  )
  client.abort(new Error('gone'))
  await t.rejects(waiting, { message: 'gone' })
  t.equal(queue.waiting(), 0)
  const next = queue.run(async () => 'next')
  held.finish()
  t.strictSame(await Promise.all([first, next]), ['first', 'next'])
  t.notOk(dropped.started())

  const gone = AbortSignal.abort(new Error('gone before'))
  await t.rejects(queue.run(dropped.work, { signal: gone }), { message: 'gone before' })
  t.notOk(dropped.started())
})

t.test('work that has begun is finished, even if its client goes away', async (t) => {
  const queue = makeHashQueue({ concurrency: 1, capacity: 1 })
  const client = new AbortController()
  const held = heldWork('done')
  const running = queue.run(held.work, { signal: client.signal })
  client.abort()
  const next = queue.run(async () => 'next')
  t.equal(queue.waiting(), 1, 'its thread is not free yet')
  held.finish()
  t.strictSame(await Promise.all([running, next]), ['done', 'next'])
})

t.test('no place is lost to errors and aborts', async (t) => {
  const queue = makeHashQueue({ concurrency: 2, capacity: 50 })
  const outcomes = await Promise.allSettled(
    Array.from({ length: 52 }, (_, i) => {
      const client = new AbortController()
      const result = queue.run(
        async () => {
          await sleep(1)
          if (i % 3 === 0) throw new Error('failed')
        },
        { signal: client.signal },
      )
      if (i % 5 === 0) client.abort()
      return result
    }),
  )
  t.ok(outcomes.some(({ status }) => status === 'rejected'))
  await t.rejects(
    queue.run(() => {
      throw new Error('at once')
    }),
    { message: 'at once' },
  )
  t.equal(queue.waiting(), 0)

  const held = [heldWork(1), heldWork(2), heldWork(3)]
  const results = held.map(({ work }) => queue.run(work))
  t.strictSame(
    held.map(({ started }) => started()),
    [true, true, false],
    'two run at once, as before',
  )
  for (const { finish } of held) finish()
  t.strictSame(await Promise.all(results), [1, 2, 3])
})
