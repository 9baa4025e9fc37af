import type { Test } from 'tap'

/** Stands for tap in a file that shares its process with others; loaded once for each file, by its query. */
export default (globalThis as Record<symbol, unknown>)[Symbol.for('the test of the file')] as Test
