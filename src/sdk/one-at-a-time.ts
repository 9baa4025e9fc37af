/** Runs work one after the other. */
export type OneAtATime = <T>(work: () => Promise<T>) => Promise<T>

/**
 * Work of one name, across all tabs of an origin where there are Web Locks; in this page or process alone where there are
 * none, or where the browser keeps them from an insecure origin.
 */
export function oneAtATime(name: string): OneAtATime {
  const { locks } = (globalThis.navigator ?? {}) as Partial<Navigator>
  return locks ? (work) => locks.request(name, work) : oneAtATimeHere()
}

/** Work of this page or process. */
export function oneAtATimeHere(): OneAtATime {
  let last: Promise<unknown> = Promise.resolve()
  return (work) => {
    const turn = last.then(work, work)
    last = turn.catch(() => {})
    return turn
  }
}
