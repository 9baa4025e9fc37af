import type { EventName } from '../../audit/events.ts'
import { texts } from '../../texts/texts.ts'
import type { Letter } from '../letter.ts'
import { type Circumstances, letterOf } from './circumstances.ts'

const { notices } = texts
const FACTORS: Readonly<Record<string, string>> = texts.factors

/** The events that the owner is told about afterwards. */
export type NoticeName = keyof typeof notices

export const isNotice = (name: EventName): name is NoticeName => name in notices

/** @param method the factor that it is about. */
export function notice(name: NoticeName, about: Circumstances, method = ''): Letter {
  const factor = FACTORS[method] ?? texts.factors.other
  return letterOf(name, { ...about, factor })
}
