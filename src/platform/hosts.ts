/** Whether a host to listen on stands for every address of this machine (RFC 4291 section 2.5.2 for IPv6). */
export const isEveryAddress = (host: string) => host === '0.0.0.0' || host === '::'

/** A host as it stands in a URL: IPv6 in brackets (RFC 3986 section 3.2.2). */
export const inUrl = (host: string) => (host.includes(':') ? `[${host}]` : host)

/** The path of a URL that others stand under, empty for none. */
export const basePathOf = (url: string) => new URL(url).pathname.replace(/\/$/, '')
