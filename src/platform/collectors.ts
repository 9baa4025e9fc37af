import { faultOfTls } from './clear-text.ts'

/** The standard variables of OpenTelemetry that say where traces go. */
export const COLLECTORS = ['OTEL_EXPORTER_OTLP_ENDPOINT', 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'] as const

/**
 * Whether traces are sent: they are off unless a variable says where to.
 *
 * @param text reads a variable.
 * @param faults gets a sentence for each variable that asks for clear text to another machine.
 */
export function readTraces(text: (name: string, fallback: string) => string, faults: string[]): boolean {
  const disabled = text('OTEL_SDK_DISABLED', '').toLowerCase() === 'true'
  const exporter = text('OTEL_TRACES_EXPORTER', '')
  const places = COLLECTORS.map((name) => [name, text(name, '')] as const).filter(([, value]) => value)
  if (disabled || exporter === 'none' || (exporter === '' && places.length === 0)) return false
  for (const [name, value] of places) {
    const url = URL.parse(value)
    const fault = url ? faultOfTls(url, 'http:') : 'must be a URL'
    if (fault) faults.push(`${name} ${fault}`)
  }
  return true
}
