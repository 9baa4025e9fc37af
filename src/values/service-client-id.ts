/** Begins the ids of service clients, which no account has: one `sub` is never taken for the other. */
export const SERVICE_PREFIX = 'service_'

/** Whether a text has the form of such an id. */
export const isServiceClientId = (text: string) => /^service_[0-9a-f-]{36}$/.test(text)
