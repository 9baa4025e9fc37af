import type { Figures } from './figures.ts'

/** What is to be reached: a ratio of two rates of one run, or a bound on one figure. */
interface Goal {
  name: string
  /** `undefined` where something it needs was not measured. */
  of(run: RunFigures): number | undefined
  atLeast?: number
  atMost?: number
  unit?: string
}

export interface RunFigures {
  /** By the ids of subjects. */
  rates: Map<string, Figures>
  starts: Starts | undefined
}

/** How long a start took, and the memory of a process that has had nothing to do for a while. */
export interface Starts {
  readyMs: number
  idleMib: number
  /** Of the libraries with one route. */
  librariesMib: number
}

/** For `--check`: the figures of one run on one machine vary by so much. */
const TOLERANCE = 0.1

/** Whether it misses its goal by more than one run may be off. */
export function misses(
  value: number,
  { atLeast = Number.NEGATIVE_INFINITY, atMost = Number.POSITIVE_INFINITY },
): boolean {
  return value < atLeast * (1 - TOLERANCE) || value > atMost * (1 + TOLERANCE)
}

const ratio = (name: string, [above, below]: [string, string], atLeast: number): Goal => ({
  name,
  atLeast,
  of: ({ rates }) => {
    const [one, other] = [rates.get(above)?.perSecond, rates.get(below)?.perSecond]
    // A slow peer may finish nothing within a slice.
    return one === undefined || !other ? undefined : one / other
  },
})

/** A service that can hash so many passwords has room for so many times as many of these. */
const inOneHash = (name: string, id: string, atLeast: number): Goal => ({
  name: `${name} in the CPU of one hash`,
  atLeast,
  of: ({ rates }) => {
    const [hash, one] = [rates.get('raw-hash')?.cpuMs, rates.get(id)?.cpuMs]
    return hash === undefined || !one ? undefined : hash / one
  },
})

export const GOALS: readonly Goal[] = [
  ratio('logins / raw hash', ['login', 'raw-hash'], 0.8),
  ratio('full flows / raw hash', ['flow', 'raw-hash'], 0.65),
  // It hashes with scrypt, and how that compares with argon2id depends on the processor.
  ratio('full flows / Better Auth as it ships', ['flow', 'peer-flow'], 4),
  ratio('full flows / Better Auth with @node-rs/argon2', ['flow', 'peer-argon2-flow'], 1.2),
  ratio('full flows / Django with django-otp', ['flow', 'django-flow'], 1),
  inOneHash('codes', 'verify', 6),
  ratio('verify / Better Auth', ['verify', 'peer-verify'], 2),
  ratio('verify / Django with django-otp', ['verify', 'django-verify'], 1),
  {
    name: 'CPU of a verify by passkey / of one by code',
    atMost: 1.5,
    of: ({ rates }) => {
      const [passkey, code] = [rates.get('passkey')?.cpuMs, rates.get('verify')?.cpuMs]
      return passkey === undefined || code === undefined ? undefined : passkey / code
    },
  },
  inOneHash('refreshes', 'refresh', 15),
  inOneHash('introspections', 'introspect', 40),
  inOneHash('`GET /me`', 'me', 40),
  {
    name: 'CPU of a public document',
    atMost: 0.3,
    unit: 'ms',
    of: ({ rates }) => rates.get('document')?.cpuMs,
  },
  {
    name: 'event-loop delay p99 at login saturation',
    atMost: 15,
    unit: 'ms',
    of: ({ rates }) => rates.get('login')?.delayP99Ms,
  },
  {
    name: 'memory at login saturation (`--only login`)',
    atMost: 200,
    unit: 'MiB',
    // After other routes a process keeps more.
    of: ({ rates }) => (rates.size === 1 ? rates.get('login')?.rssMib : undefined),
  },
  {
    name: 'idle memory / that of the libraries with one route',
    atMost: 1.3,
    of: ({ starts }) => starts && starts.idleMib / starts.librariesMib,
  },
  { name: '`/readyz` after the start', atMost: 1500, unit: 'ms', of: ({ starts }) => starts?.readyMs },
]

export interface Verdict {
  name: string
  value: number
  spread: [number, number]
  goal: string
  reached: boolean
  /** Also with the tolerance of a check. */
  fails: boolean
}

/** Each goal by the median of its values in the runs. */
export function judge(runs: readonly RunFigures[]): Verdict[] {
  return GOALS.flatMap((goal) => {
    const values = runs.map(goal.of).filter((value) => value !== undefined)
    if (values.length === 0) return []
    values.sort((a, b) => a - b)
    const value = values[Math.floor(values.length / 2)] as number
    const { atLeast = Number.NEGATIVE_INFINITY, atMost = Number.POSITIVE_INFINITY, unit = '' } = goal
    return {
      name: goal.name,
      value,
      spread: [values[0] as number, values.at(-1) as number] as [number, number],
      goal: goal.atLeast === undefined ? `≤ ${atMost} ${unit}` : `≥ ${atLeast}`,
      reached: value >= atLeast && value <= atMost,
      fails: misses(value, { atLeast, atMost }),
    }
  })
}
