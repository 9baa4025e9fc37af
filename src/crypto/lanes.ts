/**
 * Things that wait, each in a lane that is named from the widest group to the narrowest. Lanes take turns, and so do the
 * lanes within a lane, so that no one waits behind the crowd of another.
 */
export class Lanes<T> {
  size = 0
  readonly #lanes = new Map<string, Lanes<T>>()
  readonly #here = new Set<T>()

  add([name, ...rest]: readonly string[], item: T): void {
    this.size += 1
    if (name === undefined) {
      this.#here.add(item)
      return
    }
    const lane = this.#lanes.get(name) ?? new Lanes()
    this.#lanes.set(name, lane)
    lane.add(rest, item)
  }

  /** @returns whether it was there. */
  delete([name, ...rest]: readonly string[], item: T): boolean {
    const lane = name === undefined ? undefined : this.#lanes.get(name)
    const wasThere = name === undefined ? this.#here.delete(item) : (lane?.delete(rest, item) ?? false)
    if (wasThere) this.size -= 1
    if (lane?.size === 0) this.#lanes.delete(name as string)
    return wasThere
  }

  /** The one whose turn it is among those that are ready. Its lanes have their next turn after all others. */
  next(isReady: (item: T) => boolean): T | undefined {
    for (const item of this.#here) if (isReady(item)) return item
    for (const [name, lane] of this.#lanes) {
      const item = lane.next(isReady)
      if (item === undefined) continue
      this.#lanes.delete(name)
      this.#lanes.set(name, lane)
      return item
    }
    return undefined
  }

  /**
   * Who has to give up a place for a newcomer: the last to come of the longest lane, if that has at least two more than
   * the newcomer's own. With a difference of one, two lanes would drive each other out for ever.
   */
  rivalOf([name = '', ...rest]: readonly string[]): T | undefined {
    const own = this.#lanes.get(name)
    const longest = this.#longest()
    if (longest && longest.size > (own?.size ?? 0) + 1) return longest.last()
    return own?.rivalOf(rest)
  }

  #longest(): Lanes<T> | undefined {
    let longest: Lanes<T> | undefined
    for (const lane of this.#lanes.values()) if (lane.size >= (longest?.size ?? 0)) longest = lane
    return longest
  }

  /** The last to come of the longest lane. */
  last(): T | undefined {
    return this.#longest()?.last() ?? [...this.#here].at(-1)
  }
}
