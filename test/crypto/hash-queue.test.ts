import { setImmediate as nextTick, setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { type HashQueue, type Lane, makeHashQueue, QueueFullError } from '../../src/crypto/hash-queue.ts'

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

/** Held work of which so many pieces are handed in; those whose turn it is have begun. */
async function handIn(queue: HashQueue, count: number) {
  const held = Array.from({ length: count }, (_, index) => heldWork(index))
  const results = held.map(({ work }) => queue.run(work))
  await nextTick()
  return {
    results,
    running: () => held.filter(({ started }) => started()).length,
    async finish(index: number) {
      held[index]?.finish()
      await results[index]
      await nextTick()
    },
  }
}

const refusals = (queue: HashQueue, count: number) =>
  Promise.allSettled(Array.from({ length: count }, () => queue.admit()))

t.test('in a flood of refusals fewer run at a time, and after it as many as before', async (t) => {
  const queue = makeHashQueue({ concurrency: 3, inFlood: 2, capacity: 20 })
  const work = await handIn(queue, 23)
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
  const work = await handIn(queue, 23)
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
  await nextTick()
  t.strictSame(
    held.map(({ started }) => started()),
    [true, true, false],
    'two run at once, as before',
  )
  for (const { finish } of held) finish()
  t.strictSame(await Promise.all(results), [1, 2, 3])
})

/** Work that is handed in at once, each piece in its lane, while another one is under way. @returns the order of their turns. */
async function orderOf(lanes: readonly Lane[], capacity = lanes.length) {
  const queue = makeHashQueue({ concurrency: 1, capacity })
  const before = heldWork(0)
  const running = queue.run(before.work)
  const turns: number[] = []
  const results = lanes.map((lane, i) => queue.run(async () => turns.push(i), { lane }))
  before.finish()
  const settled = await Promise.allSettled([running, ...results])
  return { turns, refused: settled.filter(({ status }) => status === 'rejected').length }
}

const crowd = (count: number, lane: (i: number) => Lane) => Array.from({ length: count }, (_, i) => lane(i))

t.test('lanes take turns: no one waits behind the crowd of another', async (t) => {
  const { turns } = await orderOf([...crowd(5, () => ['many']), ['one'], ['two'], ['one']])
  t.strictSame(turns, [0, 5, 6, 1, 7, 2, 3, 4])
})

t.test('and so do the lanes within a lane', async (t) => {
  const lanes = [...crowd(4, () => ['provider', 'many']), ['provider', 'one'], ['other provider', 'two']]
  t.strictSame((await orderOf(lanes)).turns, [0, 5, 4, 1, 2, 3])
})

t.test('many networks of one provider get the turns of one, and no more places', async (t) => {
  const { turns, refused } = await orderOf(
    [...crowd(48, (i) => ['provider', String(i)]), ['elsewhere', 'neighbour']],
    32,
  )
  t.equal(turns.indexOf(48), 1, 'a neighbour is second, though all places were taken')
  t.equal(refused, 17, 'for the last of the crowd that had a place')
  t.notOk(turns.includes(31))
  t.ok(turns.includes(30))
})

t.test('all places go to as many lanes as there are, and no lane drives out its equal', async (t) => {
  const { turns, refused } = await orderOf(
    [...crowd(10, (i) => [`${i % 2}`]), ['2'], ['2'], ['2'], ['2']],
    10,
  )
  t.equal(turns.filter((i) => i >= 10).length, 3, 'of ten places two lanes keep four and three')
  t.equal(refused, 4)
  const alone = await orderOf([...crowd(4, (i) => [`${i}`]), ['late'], ['late']], 4)
  t.strictSame(alone, { turns: [0, 1, 2, 3], refused: 2 })
})

t.test(
  'who had a place and lost it was not begun, is refused, and is counted with the refused',
  async (t) => {
    const queue = makeHashQueue({ concurrency: 1, capacity: 2 })
    const before = heldWork('done')
    const running = queue.run(before.work)
    const looked: string[] = []
    const first = (name: string) => async () => {
      looked.push(name)
      return { lane: [name] }
    }
    const one = () => queue.run(async () => 'crowd', { lane: ['crowd'] })
    const [kept, lost] = [one(), one()]
    const newcomer = queue.run(async () => 'newcomer', { lane: ['new'], first: first('new') })
    await t.rejects(lost, { name: 'QueueFullError' })
    before.finish()
    t.strictSame(await Promise.all([running, kept, newcomer]), ['done', 'crowd', 'newcomer'])
    t.strictSame(looked, ['new'])
  },
)

t.test('a lane that is known only later counts from then on', async (t) => {
  const queue = makeHashQueue({ concurrency: 1, capacity: 5 })
  const before = heldWork(0)
  const running = queue.run(before.work)
  const turns: string[] = []
  const run = (name: string, first?: () => Promise<{ lane: Lane }>) =>
    queue.run(async () => turns.push(name), { lane: ['strangers'], first })
  const results = [run('one'), run('two'), run('home', async () => ({ lane: ['at home'] }))]
  await nextTick()
  before.finish()
  await Promise.all([running, ...results])
  t.strictSame(turns, ['one', 'home', 'two'])
})

t.test('where there is no place, a better lane is asked for, by a few at a time', async (t) => {
  const queue = makeHashQueue({ concurrency: 1, capacity: 4 })
  const before = heldWork('done')
  let asked = 0
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const belongs = () => {
    asked += 1
    return promise
  }
  const betterLane = { lane: ['at home'], belongs }
  const run = () => queue.run(async () => 'here', { lane: ['crowd'], betterLane })
  const running = queue.run(before.work, { lane: ['crowd'], betterLane })
  const waiting = crowd(4, () => []).map(run)
  t.equal(asked, 0, 'not while there are places')
  const late = crowd(6, () => []).map(run)
  t.equal(asked, 4)
  const outcomes = Promise.allSettled(late)
  resolve(true)
  before.finish()
  await running
  const served = (await outcomes).filter(({ status }) => status === 'fulfilled').length
  t.ok(served >= 1 && served <= 4, `${served} of the four had a place in it`)
  await Promise.allSettled(waiting)
  t.equal(queue.waiting(), 0)
})

t.test('no one loses a place to one who is of the same lane in the end', async (t) => {
  const queue = makeHashQueue({ concurrency: 1, capacity: 4 })
  const before = heldWork(0)
  const running = queue.run(before.work)
  let begun = 0
  const first = async () => {
    begun += 1
    return { lane: ['at home'] }
  }
  const betterLane = { lane: ['at home'], belongs: async () => true }
  const run = () => queue.run(async () => 'here', { lane: ['strangers'], betterLane, first })
  const waiting = crowd(4, () => []).map(run)
  await nextTick()
  t.equal(begun, 4)
  await t.rejects(run(), { name: 'QueueFullError' })
  t.equal(begun, 4, 'a refused one has cost nothing')
  before.finish()
  t.strictSame(await Promise.all([running, ...waiting]), [0, 'here', 'here', 'here', 'here'])
})

t.test('where it would change nothing, no one asks for a better lane', async (t) => {
  const queue = makeHashQueue({ concurrency: 1, capacity: 4 })
  const before = heldWork('before')
  const running = queue.run(before.work)
  const enter = (lane: Lane) =>
    queue.run(async () => 'here', {
      lane,
      betterLane: { lane: ['at home'], belongs: async () => t.fail('it asks') },
    })
  const waiting = crowd(4, () => ['crowd']).map((lane) => enter(lane).catch(() => 'displaced'))
  const others = [enter(['neighbour']), queue.run(async () => 'here', { lane: ['at home'] })]
  await t.rejects(enter(['crowd']), { name: 'QueueFullError' }, 'there is no place in either')
  before.finish()
  t.strictSame(await Promise.all([running, ...others]), ['before', 'here', 'here'])
  t.strictSame((await Promise.all(waiting)).sort(), ['displaced', 'displaced', 'here', 'here'])
})

t.test('a client that goes away while that is asked takes no place', async (t) => {
  const queue = makeHashQueue({ concurrency: 1, capacity: 4 })
  const before = heldWork('before')
  const running = queue.run(before.work)
  const waiting = crowd(4, () => ['crowd']).map((lane) => queue.run(async () => 'here', { lane }))
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const client = new AbortController()
  const gone = queue.run(async () => 'here', {
    lane: ['crowd'],
    betterLane: { lane: ['at home'], belongs: () => promise },
    signal: client.signal,
  })
  client.abort()
  resolve(true)
  await t.rejects(gone, { name: 'AbortError' })
  before.finish()
  t.strictSame(await Promise.all([running, ...waiting]), ['before', 'here', 'here', 'here', 'here'])
})

t.test('slow work runs one at a time, and the other does not wait for it', async (t) => {
  const queue = makeHashQueue({ concurrency: 2, capacity: 20 })
  const slow = [1, 2, 3].map(heldWork)
  const first = async () => ({ slow: true })
  const results = slow.map(({ work }) => queue.run(work, { first }))
  await nextTick()
  const begun = () => slow.map(({ started }) => started())
  t.strictSame(begun(), [true, false, false])
  t.strictSame(
    await Promise.all([1, 2, 3, 4].map((i) => queue.run(async () => i))),
    [1, 2, 3, 4],
    'everything else goes on',
  )
  const others = [heldWork(1), heldWork(2)]
  const held = others.map(({ work }) => queue.run(work))
  slow[0]?.finish()
  await results[0]
  await nextTick()
  t.strictSame(begun(), [true, true, false], 'also while all the others are busy')
  for (const { finish } of [...slow, ...others]) finish()
  await Promise.all([...results, ...held])
})
