import { BlockList, isIP } from 'node:net'
import type { FastifyRequest } from 'fastify'

/** Whether an address is that of a proxy that is trusted to name its clients. */
export type IsTrustedProxy = (address: string) => boolean

/** @param ranges addresses and CIDR ranges of `TRUST_PROXY`, already checked. */
export function trustedProxies(ranges: readonly string[]): IsTrustedProxy {
  const trusted = new BlockList()
  for (const range of ranges) {
    const [address = '', prefix] = range.split('/')
    const family = familyOf(address)
    if (family && prefix !== undefined) trusted.addSubnet(address, Number(prefix), family)
    else if (family) trusted.addAddress(address, family)
  }
  return (address) => {
    const family = familyOf(address)
    return family !== null && trusted.check(address, family)
  }
}

/** What Fastify reads as the address of the client: one address in `X-Forwarded-For`, or none. */
export function nameClient({ raw }: FastifyRequest, isTrusted: IsTrustedProxy): void {
  const address = isTrusted(raw.socket.remoteAddress ?? '') ? clientOf(raw.headers, isTrusted) : undefined
  if (address === undefined) delete raw.headers['x-forwarded-for']
  else raw.headers['x-forwarded-for'] = address
}

/**
 * The address that `X-Forwarded-For` or `Forwarded` (RFC 7239) name; `undefined` where they name two. A proxy writes
 * one of them and hands on what the client has put into the other, and which one it writes is not known here.
 */
function clientOf(headers: FastifyRequest['headers'], isTrusted: IsTrustedProxy): string | undefined {
  const chains = [String(headers['x-forwarded-for'] ?? '').split(','), nodesOf(headers.forwarded ?? '')]
  const named = chains
    .map((chain) => lastStranger(chain, isTrusted))
    .filter((address) => address !== undefined)
  const strangers = new Set(named.filter((address) => !isTrusted(address)))
  return strangers.size > 1 ? undefined : ([...strangers][0] ?? named[0])
}

/** From the right, where the nearest proxy has written, through trusted proxies to the first that is none of them. */
function lastStranger(chain: readonly string[], isTrusted: IsTrustedProxy): string | undefined {
  let last: string | undefined
  for (const node of chain.toReversed()) {
    const address = addressOf(node)
    if (address === undefined) break
    last = address
    if (!isTrusted(address)) break
  }
  return last
}

/** `203.0.113.1`, `203.0.113.1:4711`, `2001:db8::1`, `[2001:db8::1]:4711`; each also in quotes. */
const NODE =
  /^("?)(?:(?<ipv4>\d+\.\d+\.\d+\.\d+)(?::\w+)?|\[(?<ipv6>[\da-f:.]+)\](?::\w+)?|(?<bare>[\da-f:.]+))\1$/i

/** Without its port: each connection would count as another address. */
function addressOf(node: string): string | undefined {
  const { ipv4, ipv6, bare } = NODE.exec(node.trim())?.groups ?? {}
  const address = ipv4 ?? ipv6 ?? bare ?? ''
  return isIP(address) ? address : undefined
}

/** A parameter of a `Forwarded` element, or what stands between two. */
const PART = /[ \t]*(?:([\w!#$%&'*+.^`|~-]+)=([\w!#$%&'*+.^`|~:[\]-]+|"(?:[^"\\]|\\.)*")|([;,]))[ \t]*/y

/** The `for` of each element. A header that is not well-formed has none: a quote of the client could swallow the proxy's part. */
function nodesOf(forwarded: string): string[] {
  const nodes = ['']
  PART.lastIndex = 0
  while (PART.lastIndex < forwarded.length) {
    const [part, name, value = '', separator] = PART.exec(forwarded) ?? []
    if (part === undefined) return []
    if (separator === ',') nodes.push('')
    if (name?.toLowerCase() === 'for') nodes[nodes.length - 1] = value
  }
  return nodes
}

function familyOf(address: string): 'ipv4' | 'ipv6' | null {
  const version = isIP(address)
  return version === 0 ? null : `ipv${version as 4 | 6}`
}
