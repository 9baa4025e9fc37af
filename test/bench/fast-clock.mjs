// Preloaded into a process whose days are to pass quickly: its clock and its long waits run so many times as fast.
import { syncBuiltinESMExports } from 'node:module'
import timers from 'node:timers/promises'

/** What is waited for longer than this is waited for by the clock, and not for a caller. */
const LONG_MS = 60_000

const speed = Number(process.env.CLOCK_SPEED)
const from = Number(process.env.CLOCK_FROM)
const realNow = Date.now
Date.now = () => from + (realNow() - from) * speed

const sleep = timers.setTimeout
timers.setTimeout = (ms, ...rest) => sleep(ms >= LONG_MS ? ms / speed : ms, ...rest)
syncBuiltinESMExports()
