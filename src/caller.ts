/** Who sent a request or ran a command, and from where. */
export interface Caller {
  by: 'person' | 'operator' | 'service'
  /** Empty for an operator and for the service itself. */
  ip: string
  /** The first 256 characters. */
  userAgent: string
  requestId: string
  /** Fires when the caller has gone away. */
  signal?: AbortSignal
}
